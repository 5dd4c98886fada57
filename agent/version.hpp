// SPDX-License-Identifier: BSD-2-Clause
// The version that this program was built as; the build sets it from the project's version.
#pragma once

#ifndef NEARSIDE_VERSION
#define NEARSIDE_VERSION "0.0.0-dev"
#endif
