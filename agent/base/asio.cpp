// SPDX-License-Identifier: BSD-2-Clause
// The bodies of Asio's functions, compiled here once for the whole program (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
