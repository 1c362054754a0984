/*
 * fuzz_plan.c - any text as a driver's answer: a plan comes of it, and a unit that may go has all that it needs.
 */
#include <stdint.h>

#include "plan.h"

static void check_unit(const struct unit *u)
{
	if (u->verdict.kind == VERDICT_LOCAL ? u->verdict.reason == REASON_NONE
					     : !u->preprocess.count || !u->job.step_count || !u->result_name ||
						       !u->job.outputs.count || !*u->input || !*u->output)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	autofree char *text = xstrndup((const char *)p, len);
	autoargv struct argv argv = { 0 };
	struct plan_options options = { .force_text = len & 1 };
	struct plan *plan = NULL;
	struct err err = { 0 };

	argv_push(&argv, "cc");
	if (plan_make(len & 2 ? DIALECT_CLANG : DIALECT_GCC, &argv, text, &options, &plan, &err) != 0)
		abort();
	for (size_t i = 0; i < plan->unit_count; i++)
		check_unit(&plan->units[i]);
	plan_free(plan);
	return 0;
}
