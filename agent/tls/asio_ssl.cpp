// SPDX-License-Identifier: BSD-2-Clause
// The bodies of Asio's TLS functions, compiled here once (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/ssl/impl/src.hpp>
