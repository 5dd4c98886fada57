// SPDX-License-Identifier: BSD-2-Clause
#include "agent/https/tls_context.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/support/certificates.hpp"

using namespace nearside;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using https::client_context;
using https::server_context;
using https::tls_files;

namespace {

struct files_of_an_edge {
  tests::authority ca;
  tests::certificate_files mine = ca.issue("DNS:e17.ns.lb.example.com");
  tls_files files{ca.ca(), mine.certificate, mine.key};

  std::filesystem::path written(const char* name, const std::string& text) const {
    const auto file = ca.directory() / name;
    std::ofstream(file) << text;
    return file;
  }
};

}  // namespace

TEST_CASE("a context is made of a CA, a certificate and its key", "[https][tls]") {
  const files_of_an_edge made;
  CHECK(client_context(made.files).has_value());
  CHECK(server_context(made.files).has_value());
  CHECK(client_context({made.files.ca, {}, {}}).has_value());
}

TEST_CASE("a client without a CA file believes those of the system", "[https][tls]") {
  CHECK(client_context({}).has_value());
}

TEST_CASE("a server wants all three files", "[https][tls]") {
  files_of_an_edge made;
  made.files.ca.clear();
  const auto context = server_context(made.files);
  REQUIRE(context.has_error());
  CHECK_THAT(context.error().message, Contains("ca_file"));
}

TEST_CASE("an error names the file and what is wrong with it", "[https][tls]") {
  files_of_an_edge made;
  std::string expected;
  auto kind = errc::invalid;
  SECTION("a CA file that is not there") {
    made.files.ca = "/nonexistent/ca.pem";
    expected = "ca_file /nonexistent/ca.pem: No such file or directory";
    kind = errc::not_found;
  }
  SECTION("a directory") {
    made.files.certificate = made.ca.directory();
    expected = "certificate_file " + made.ca.directory().string() + ": not a file";
  }
  SECTION("a certificate that is none") {
    made.files.certificate = made.written("text.pem", "a text\n");
    expected = "certificate_file " + made.files.certificate.string() + ": nothing in PEM that is of use here";
  }
  SECTION("a key file with something else in it") {
    made.files.key = made.files.ca;
    expected = "key_file " + made.files.key.string() + ": nothing in PEM that is of use here";
  }
  SECTION("an empty CA file") {
    made.files.ca = made.written("empty.pem", "");
    expected = "ca_file " + made.files.ca.string() + ": no certificate or crl found";
  }
  SECTION("another certificate's key") {
    made.files.key = made.ca.issue("DNS:e18.ns.lb.example.com").key;
    expected = "key_file " + made.files.key.string() + ": it is not the key of the certificate in " +
               made.files.certificate.string();
  }
  SECTION("an encrypted key, for which nobody is asked") {
    made.files.key = made.ca.directory() / "encrypted.key";
    const std::string command = "openssl ec -aes256 -passout pass:secret -in " + made.mine.key.string() + " -out " +
                                made.files.key.string() + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c): a fixed command
      WARN("SKIPPED: there is no openssl to encrypt a key with");
      return;
    }
    expected = "key_file " + made.files.key.string() + ": it is encrypted, and there is nobody to ask for the password";
  }
  for (const auto& context : {client_context(made.files), server_context(made.files)}) {
    REQUIRE(context.has_error());
    CHECK(context.error().message == expected);
    CHECK(context.error().kind == kind);
  }
}
