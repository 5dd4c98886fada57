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

/*
 * The same number, of which the compiler knows nothing: the check that follows and every use stay on this one 64-bit
 * register, where the verifier can see that the check bounds the use.
 */
#define OPAQUE(number)                            \
	({                                        \
		__u64 opaque_ = (number);         \
		asm volatile("" : "+r"(opaque_)); \
		opaque_;                          \
	})

/* A function that the verifier checks once on its own, and not again at each place it is called from. */
#define VERIFIED_ALONE __attribute__((noinline))

/* An argument that the function does not use but the verifier wants passed: a global function's first is the context. */
#define KEEP_ARGUMENT(argument) asm volatile("" : : "r"(argument))

/* Lets the compiler neither reorder nor merge memory accesses across this line. */
#define COMPILER_BARRIER() asm volatile("" ::: "memory")

#endif
