# SPDX-License-Identifier: BSD-2-Clause
# From a kernel program to a header that userland includes.

find_program(BPF_CLANG NAMES clang-14 REQUIRED)
find_program(BPF_STRIP NAMES llvm-strip-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# The oldest instruction set with all that is needed here; every kernel from 5.10 on loads it.
set(NEARSIDE_BPF_CPU v2 CACHE STRING "The BPF instruction set, -mcpu")

# The multiarch folder holds <asm/types.h>, which clang does not look for when its target is bpf.
set(bpf_flags
  -O2 -g -target bpf -mcpu=${NEARSIDE_BPF_CPU} -std=gnu11
  -Wall -Wextra -Werror
  -I "${PROJECT_SOURCE_DIR}"
  -isystem "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")

# bpf_object(dns bpf/dns.bpf.c [DEFINES NAME=VALUE ...])
#
# Makes dns.bpf.o (BTF kept, DWARF stripped) and its skeleton dns.skel.h, which declares struct dns_bpf, and the library
# nearside::dns_skeleton whose users include <dns.skel.h>. NAME_BPF_OBJECT in the caller is the object's path, for
# bpftool and for guests without a compiler. Headers are found by clang (a depfile), so none is listed here. Nothing
# depends on a custom command's output twice: one target builds it, and the library waits for that.
function(bpf_object name source)
  cmake_parse_arguments(PARSE_ARGV 2 bpf "" "" "DEFINES")
  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE OUTPUT_VARIABLE input)
  set(directory "${PROJECT_BINARY_DIR}/bpf")
  set(object "${directory}/${name}.bpf.o")
  set(skeleton "${directory}/${name}.skel.h")
  file(MAKE_DIRECTORY "${directory}")
  list(TRANSFORM bpf_DEFINES PREPEND "-D")

  add_custom_command(
    OUTPUT "${object}"
    COMMAND "${BPF_CLANG}" ${bpf_flags} ${bpf_DEFINES} -MD -MF "${object}.d" -MT "${object}" -c "${input}" -o "${object}"
    COMMAND "${BPF_STRIP}" -g "${object}"
    DEPENDS "${input}"
    DEPFILE "${object}.d"
    COMMENT "Building BPF object bpf/${name}.bpf.o"
    VERBATIM)
  # bpftool leaves an empty file when it fails; the next build must not take that for the skeleton.
  add_custom_command(
    OUTPUT "${skeleton}"
    COMMAND sh -c "\"$1\" gen skeleton \"$2\" name \"$3\" > \"$4.new\" && mv \"$4.new\" \"$4\""
            skeleton "${BPFTOOL}" "${object}" "${name}_bpf" "${skeleton}"
    DEPENDS "${object}"
    COMMENT "Generating skeleton bpf/${name}.skel.h"
    VERBATIM)
  add_custom_target(${name}_skeleton_header ALL DEPENDS "${object}" "${skeleton}")

  add_library(nearside_${name}_skeleton INTERFACE)
  add_library(nearside::${name}_skeleton ALIAS nearside_${name}_skeleton)
  add_dependencies(nearside_${name}_skeleton ${name}_skeleton_header)
  target_include_directories(nearside_${name}_skeleton SYSTEM INTERFACE "${directory}")
  target_link_libraries(nearside_${name}_skeleton INTERFACE PkgConfig::LIBBPF)

  string(TOUPPER "${name}_BPF_OBJECT" variable)
  set(${variable} "${object}" PARENT_SCOPE)
endfunction()
