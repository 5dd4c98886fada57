// SPDX-License-Identifier: BSD-2-Clause
// The main of a fuzz target without a fuzzer: gives it every file of the directories named, each as one input.
// A seed that makes the target abort ends the program, and ctest says which one was the last.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      std::cerr << "there is no directory of seeds " << argv[i] << '\n';
      return EXIT_FAILURE;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      std::cout << entry.path().string() << ": " << bytes.size() << " octets" << std::endl;
      // A copy of exactly this size, so that a sanitizer sees the first octet read past the end.
      const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(input.data(), input.size());
      ++replayed;
    }
  }
  if (const char* path = std::getenv("NEARSIDE_TEST_COUNT")) std::ofstream(path) << replayed << " 0 0\n";
  if (replayed == 0) {
    std::cerr << "no seeds: nothing was tried\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
