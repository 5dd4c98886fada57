// SPDX-License-Identifier: BSD-2-Clause
#include "agent/mapping/deflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace nearside::mapping {
namespace {

// Reports are made rarely and sent often: the best that zlib can.
constexpr int effort = Z_BEST_COMPRESSION;
// The output grows by what is needed, so that small input does not ask for the greatest output's memory.
constexpr std::size_t first_room = 4096;

struct inflating {
  z_stream stream{};
  bool begun = false;
  inflating() { begun = inflateInit(&stream) == Z_OK; }
  ~inflating() {
    if (begun) inflateEnd(&stream);
  }
  inflating(const inflating&) = delete;
  inflating& operator=(const inflating&) = delete;
};

}  // namespace

result<std::string> deflate(std::string_view octets) {
  auto size = compressBound(octets.size());
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(octets.data()),
                octets.size(), effort) != Z_OK)
    return error{errc::exhausted, "deflate: no memory"};
  out.resize(size);
  return out;
}

result<std::string> inflate(std::string_view octets, std::size_t most) {
  inflating work;
  if (!work.begun) return error{errc::exhausted, "inflate: no memory"};
  if (octets.size() > std::numeric_limits<uInt>::max()) return error{errc::exhausted, "inflate: too many octets"};
  // zlib does not write where it reads; it has no const without ZLIB_CONST.
  work.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  work.stream.avail_in = static_cast<uInt>(octets.size());
  std::string out;
  std::size_t done = 0;
  while (true) {
    // One octet beyond the bound tells that there is more.
    const std::size_t room = std::min(most + 1, std::max(first_room, done * 2));
    out.resize(room);
    work.stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    work.stream.avail_out = static_cast<uInt>(room - done);
    const int state = ::inflate(&work.stream, Z_NO_FLUSH);
    done = room - work.stream.avail_out;
    if (done > most) return error{errc::exhausted, "inflate: more than " + std::to_string(most) + " octets"};
    if (state == Z_STREAM_END) break;
    if (state != Z_OK) return error{errc::invalid, "inflate: not the zlib format, or cut off"};
  }
  if (work.stream.avail_in != 0) return error{errc::invalid, "inflate: octets behind the end"};
  out.resize(done);
  return out;
}

}  // namespace nearside::mapping
