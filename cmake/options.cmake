# SPDX-License-Identifier: BSD-2-Clause
# What every target of ours is compiled with: the language, the warnings, the include root, ccache.
# Sanitizers come from the presets as plain CMAKE_C_FLAGS and CMAKE_CXX_FLAGS, so that they reach every object.

option(NEARSIDE_TESTS "Build the tests" ON)
option(NEARSIDE_FUZZ "Link the fuzz targets with libFuzzer (clang); otherwise they only replay their seeds" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The C here is the kernel's side, built natively for tests: it is written in the kernel's dialect.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()

add_library(nearside_options INTERFACE)
add_library(nearside::options ALIAS nearside_options)
target_include_directories(nearside_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(nearside_options INTERFACE NEARSIDE_VERSION="${PROJECT_VERSION}")
target_compile_options(nearside_options INTERFACE
  -Wall -Wextra
  # Who builds what is shipped is not stopped by another compiler's opinion.
  $<$<NOT:$<CONFIG:Release>>:-Werror>
  $<$<COMPILE_LANGUAGE:CXX>:-Wpedantic;-Wshadow;-Wconversion;-Wcast-qual;-Wnon-virtual-dtor;-Woverloaded-virtual>)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  # g++ 12 sees uninitialised reads and overflows that are not there once the sanitizers' checks are woven in.
  target_compile_options(nearside_options INTERFACE
    -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow -Wno-error=tsan)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # With -O3, g++ 12 sees overlaps in any "text" + std::string (GCC bug 105651), and copies beyond vectors that have just
  # been made larger. clang compiles the fuzz preset without these exceptions.
  target_compile_options(nearside_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict;-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
endif()
