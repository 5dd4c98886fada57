// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace nearside::tests {

namespace {

struct free_openssl {
  void operator()(X509* p) const noexcept { X509_free(p); }
  void operator()(EVP_PKEY* p) const noexcept { EVP_PKEY_free(p); }
  void operator()(X509_EXTENSION* p) const noexcept { X509_EXTENSION_free(p); }
  void operator()(std::FILE* p) const noexcept { std::fclose(p); }
};
template <typename T>
using owned = std::unique_ptr<T, free_openssl>;

void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(std::string("test certificates: ") + what);
}

struct signed_key {
  owned<X509> certificate;
  owned<EVP_PKEY> key;
};

void extend(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const owned<X509_EXTENSION> made(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  require(made && X509_add_ext(certificate, made.get(), -1) == 1, value.c_str());
}

/// `by` nullptr: the authority itself.
signed_key make(const std::string& names, long seconds, const signed_key* by) {
  static long serial = 1000;
  signed_key made{owned<X509>(X509_new()), owned<EVP_PKEY>(EVP_EC_gen("P-256"))};
  X509* const certificate = made.certificate.get();
  require(certificate != nullptr && made.key, "key");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -2 * 86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), seconds);
  X509_set_pubkey(certificate, made.key.get());
  const std::string subject = by == nullptr ? "Test CA " + std::to_string(serial) : "Test";
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "O", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
  X509* const issuer = by == nullptr ? certificate : by->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  if (by == nullptr) {
    extend(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate, issuer, NID_key_usage, "critical,keyCertSign");
  } else {
    extend(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
    extend(certificate, issuer, NID_subject_alt_name, names);
  }
  EVP_PKEY* const signer = by == nullptr ? made.key.get() : by->key.get();
  require(X509_sign(certificate, signer, EVP_sha256()) > 0, "signature");
  return made;
}

void write(const std::filesystem::path& file, const X509* certificate) {
  const owned<std::FILE> out(std::fopen(file.c_str(), "w"));
  require(out && PEM_write_X509(out.get(), certificate) == 1, file.c_str());
}

void write(const std::filesystem::path& file, EVP_PKEY* key) {
  const owned<std::FILE> out(std::fopen(file.c_str(), "w"));
  require(out && PEM_write_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, file.c_str());
}

}  // namespace

struct authority::made {
  signed_key root;
  mutable int issued = 0;
};

authority::authority() : made_(new made{make("", 7 * 86400L, nullptr)}) {
  std::string name = (std::filesystem::temp_directory_path() / "nearside-ca-XXXXXX").string();
  require(::mkdtemp(name.data()) != nullptr, "directory");
  directory_ = name;
  ca_ = directory_ / "ca.pem";
  write(ca_, made_->root.certificate.get());
}

authority::~authority() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

certificate_files authority::issue(const std::string& names, long seconds) const {
  const signed_key leaf = make(names, seconds, &made_->root);
  const std::string number = std::to_string(++made_->issued);
  certificate_files files{directory_ / (number + ".pem"), directory_ / (number + ".key")};
  write(files.certificate, leaf.certificate.get());
  write(files.key, leaf.key.get());
  return files;
}

}  // namespace nearside::tests
