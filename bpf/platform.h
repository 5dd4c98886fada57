/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the program needs of its surroundings. The same text is compiled for the kernel and, with NEARSIDE_NATIVE, for
 * the tests and fuzzers, where tests/support/native.h stands in for the helpers and maps.
 */
#ifndef NEARSIDE_PLATFORM_H
#define NEARSIDE_PLATFORM_H

#ifdef NEARSIDE_NATIVE
#include "tests/support/native.h"
#else
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#endif

/* A read that the compiler repeats and the verifier forgets: what comes back is any value of the type, so that all the
 * paths which led here are verified as one. */
#define FORGET(lvalue) (*(volatile typeof(lvalue) *)&(lvalue))

/* Keeps the compiler from merging a bounds check with arithmetic after it, which the verifier would not recognise. */
#define KEEP_BOUND(scalar) asm volatile("" : "+r"(scalar))

/* A function that the verifier checks once on its own, and not again at each place it is called from. */
#define VERIFIED_ALONE __attribute__((noinline))

/* Lets the compiler neither reorder nor merge memory accesses across this line. */
#define COMPILER_BARRIER() asm volatile("" ::: "memory")

#endif
