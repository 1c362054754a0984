/*
 * fuzz_job.c - any bytes as a job, and as a result: what is accepted survives another round.
 */
#include <stdint.h>

#include "job.h"

static void round_job(const uint8_t *p, size_t len)
{
	autobuf struct buf once = { 0 }, twice = { 0 };
	struct reader r = reader_of(p, len);
	autojob struct job j, k = { 0 };

	if (job_get(&r, &j, NULL) < 0)
		return;
	job_put(&once, &j);
	r = reader_of(once.p, once.len);
	if (job_get(&r, &k, NULL) < 0)
		abort();
	job_put(&twice, &k);
	if (once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
		abort();
}

static void round_result(const uint8_t *p, size_t len)
{
	autobuf struct buf once = { 0 };
	struct reader r = reader_of(p, len);
	struct job_result a, b;

	if (job_result_get(&r, &a, NULL) < 0)
		return;
	job_result_put(&once, &a);
	r = reader_of(once.p, once.len);
	if (job_result_get(&r, &b, NULL) < 0 || memcmp(&a, &b, sizeof a) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	round_job(p, len);
	round_result(p, len);
	return 0;
}
