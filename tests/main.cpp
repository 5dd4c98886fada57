// SPDX-License-Identifier: BSD-2-Clause
// The main of every Catch2 program, with a listener that tells `./dev test` how many cases passed, failed, were
// skipped. Catch2 2.13 has no skip of its own: a case that cannot run here says WARN("SKIPPED: why") and returns.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

/// Writes "passed failed skipped" to the file that NEARSIDE_TEST_COUNT names, at the end of the run only: after a crash
/// there is no file, and the program counts as one failure.
class case_counter : public Catch::TestEventListenerBase {
 public:
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo&) override { skipped_here_ = false; }

  bool assertionEnded(const Catch::AssertionStats& stats) override {
    const auto& outcome = stats.assertionResult;
    if (outcome.getResultType() == Catch::ResultWas::Warning) {
      for (const auto& info : stats.infoMessages) skipped_here_ |= info.message.rfind("SKIPPED:", 0) == 0;
      skipped_here_ |= outcome.getMessage().rfind("SKIPPED:", 0) == 0;
    }
    return true;
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    if (stats.totals.testCases.failed > 0) {
      ++failed_;
    } else if (skipped_here_) {
      ++skipped_;
    } else {
      ++passed_;
    }
  }

  void testRunEnded(const Catch::TestRunStats&) override {
    const char* path = std::getenv("NEARSIDE_TEST_COUNT");
    if (path != nullptr) std::ofstream(path) << passed_ << ' ' << failed_ << ' ' << skipped_ << '\n';
  }

 private:
  bool skipped_here_ = false;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

CATCH_REGISTER_LISTENER(case_counter)

}  // namespace
