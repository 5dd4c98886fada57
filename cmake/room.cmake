# SPDX-License-Identifier: BSD-2-Clause
# A room is a folder with one purpose and one static library. What a room may include is what it links.

# While rooms are being written: whether all that a target is made of is there. Says what is missing.
function(nearside_ready result name)
  cmake_parse_arguments(PARSE_ARGV 2 it "" "" "SOURCES;LINKS")
  set(${result} TRUE PARENT_SCOPE)
  foreach(link IN LISTS it_LINKS)
    if(link MATCHES "^nearside::" AND NOT TARGET ${link})
      message(STATUS "Leaving out ${name}: there is no ${link}")
      set(${result} FALSE PARENT_SCOPE)
    endif()
  endforeach()
  foreach(source IN LISTS it_SOURCES)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE file)
    if(NOT EXISTS "${file}")
      message(STATUS "Leaving out ${name}: there is no ${source}")
      set(${result} FALSE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# nearside_room(dns SOURCES name.cpp zone.cpp LINKS nearside::base PkgConfig::LDNS)
#
# Makes nearside_dns and its alias nearside::dns. LINKS are public: who uses a room may use what the room is made of.
# A room without sources is headers only.
function(nearside_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;LINKS")
  if(room_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nearside_room(${name}): unknown arguments: ${room_UNPARSED_ARGUMENTS}")
  endif()
  nearside_ready(ready ${name} SOURCES ${room_SOURCES} LINKS ${room_LINKS})
  if(NOT ready)
    return()
  endif()
  set(target nearside_${name})
  if(room_SOURCES)
    add_library(${target} STATIC ${room_SOURCES})
    target_link_libraries(${target} PUBLIC nearside::options ${room_LINKS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE nearside::options ${room_LINKS})
  endif()
  add_library(nearside::${name} ALIAS ${target})
endfunction()

# nearside_program(nearsided SOURCES main.cpp LINKS nearside::admin): an executable, installed in the system's sbin.
function(nearside_program name)
  cmake_parse_arguments(PARSE_ARGV 1 program "" "" "SOURCES;LINKS")
  nearside_ready(ready ${name} SOURCES ${program_SOURCES} LINKS ${program_LINKS})
  if(NOT ready)
    return()
  endif()
  add_executable(${name} ${program_SOURCES})
  target_link_libraries(${name} PRIVATE nearside::options ${program_LINKS})
  install(TARGETS ${name} RUNTIME DESTINATION sbin)
endfunction()

# Adds a folder that has a CMakeLists.txt, and passes over one that has none.
function(nearside_optional_directory directory)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${directory}/CMakeLists.txt")
    add_subdirectory(${directory})
  endif()
endfunction()
