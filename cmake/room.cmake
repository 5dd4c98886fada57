# SPDX-License-Identifier: BSD-2-Clause
# A room is a folder with one purpose and one static library. What a room may include is what it links.
# One that is named and not there stops the configuration: add_subdirectory and the sources see to the folders and files,
# the alias with its two colons to the rooms that are linked.

# nearside_room(dns SOURCES name.cpp zone.cpp LINKS nearside::base PkgConfig::LDNS)
#
# Makes nearside_dns and its alias nearside::dns. LINKS are public: who uses a room may use what the room is made of.
# A room without sources is headers only.
function(nearside_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;LINKS")
  if(room_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nearside_room(${name}): unknown arguments: ${room_UNPARSED_ARGUMENTS}")
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
  add_executable(${name} ${program_SOURCES})
  target_link_libraries(${name} PRIVATE nearside::options ${program_LINKS})
  install(TARGETS ${name} RUNTIME DESTINATION sbin)
endfunction()
