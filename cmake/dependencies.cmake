# SPDX-License-Identifier: BSD-2-Clause
# The libraries of Debian 12 that we stand on; packages.txt names the packages that bring them.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Debian 12 has two versions of Boost: the default, 1.74, knows neither result<T> nor the coroutine support used here.
find_package(Boost 1.81.0 EXACT CONFIG REQUIRED COMPONENTS headers json)

pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.1)
pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3.0)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(SPDLOG REQUIRED IMPORTED_TARGET spdlog)
pkg_check_modules(MNL REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(CAPNG REQUIRED IMPORTED_TARGET libcap-ng)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)

# Optional: where clients are that no row of the mapping covers.
pkg_check_modules(MAXMINDDB IMPORTED_TARGET libmaxminddb)

# CLI11 is headers only.
pkg_check_modules(CLI11 REQUIRED IMPORTED_TARGET CLI11)
