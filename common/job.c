/*
 * job.c - a job and its result, to bytes and back.
 */
#include "job.h"

void job_free(struct job *j)
{
	argv_free(&j->env);
	argv_free(&j->outputs);
	free(j->input_name);
	free(j->caller.cwd);
	for (size_t i = 0; i < j->step_count; i++) {
		free(j->steps[i].program);
		argv_free(&j->steps[i].argv);
	}
	*j = (struct job){ 0 };
}

static void put_caller(struct buf *b, const struct job_caller *c)
{
	put_str(b, c->cwd);
	put_u16(b, c->umask);
	put_u16(b, c->columns);
	put_u16(b, c->lines);
	put_digest(b, &c->manifest);
	put_u64(b, c->manifest_size);
}

static void get_caller(struct reader *r, struct job_caller *c)
{
	c->cwd = get_str(r);
	c->umask = get_u16(r);
	c->columns = get_u16(r);
	c->lines = get_u16(r);
	get_digest(r, &c->manifest);
	c->manifest_size = get_u64(r);
}

void job_put(struct buf *b, const struct job *j)
{
	put_u8(b, j->mode);
	put_digest(b, &j->toolchain);
	put_argv(b, &j->env);
	put_str(b, j->input_name);
	put_u8(b, (uint8_t)j->step_count);
	for (size_t i = 0; i < j->step_count; i++) {
		put_str(b, j->steps[i].program);
		put_argv(b, &j->steps[i].argv);
		put_u8(b, j->steps[i].stdin_input);
	}
	put_argv(b, &j->outputs);
	if (j->mode == JOB_FILES)
		put_caller(b, &j->caller);
}

/* A name in the job's own directory: it must not lead out of it. */
static bool plain_name(const char *name)
{
	return *name && !strchr(name, '/') && !str_eq(name, ".") && !str_eq(name, "..");
}

/* Its files are its caller's: it brings no input, names no outputs, and starts somewhere. */
static int check_files(const struct job *j, struct err *err)
{
	const char *cwd = j->caller.cwd;

	if (*j->input_name || j->outputs.count || *cwd != '/' || strlen(cwd) > JOB_PATH_MAX || j->caller.umask > 0777)
		return err_set(err, ERR_WIRE, "job: with an input, outputs, or no directory");
	for (size_t i = 0; i < j->step_count; i++)
		if (j->steps[i].stdin_input)
			return err_set(err, ERR_WIRE, "job: with an input");
	return 0;
}

static int check(const struct job *j, struct err *err)
{
	if (*j->input_name && !plain_name(j->input_name))
		return err_set(err, ERR_WIRE, "job: input named %s", j->input_name);
	for (size_t i = 0; i < j->outputs.count; i++)
		if (!plain_name(j->outputs.v[i]))
			return err_set(err, ERR_WIRE, "job: output named %s", j->outputs.v[i]);
	for (size_t i = 0; i < j->step_count; i++)
		if (j->steps[i].program[0] != '/' || !j->steps[i].argv.count)
			return err_set(err, ERR_WIRE, "job: step %zu has no absolute program or no argv", i);
	if (!j->step_count)
		return err_set(err, ERR_WIRE, "job: no steps");
	return j->mode == JOB_FILES ? check_files(j, err) : 0;
}

int job_get(struct reader *r, struct job *j, struct err *err)
{
	size_t steps;
	uint8_t flag;
	int rc;

	*j = (struct job){ 0 };
	if (r->left > JOB_BYTES_MAX)
		r->bad = true;
	j->mode = get_u8(r);
	r->bad |= j->mode >= JOB_MODES;
	get_digest(r, &j->toolchain);
	get_argv(r, &j->env, JOB_ENV_MAX);
	j->input_name = get_str(r);
	steps = get_u8(r);
	if (steps > JOB_STEPS_MAX)
		r->bad = true;
	for (size_t i = 0; i < steps && !r->bad; i++) {
		struct job_step *s = &j->steps[j->step_count++];

		s->program = get_str(r);
		get_argv(r, &s->argv, JOB_ARGS_MAX);
		flag = get_u8(r);
		s->stdin_input = flag == 1;
		r->bad |= flag > 1;
	}
	get_argv(r, &j->outputs, JOB_OUTPUTS_MAX);
	if (j->mode == JOB_FILES)
		get_caller(r, &j->caller);
	rc = reader_done(r) ? check(j, err) : err_set(err, ERR_WIRE, "job: wrong length or over a bound");
	if (rc < 0)
		job_free(j);
	return rc;
}

void job_result_put(struct buf *b, const struct job_result *r)
{
	put_u8(b, r->outcome);
	put_u8(b, r->step);
	put_u8(b, r->exit_status);
	put_u8(b, r->signal);
	put_u64(b, r->cpu_us);
	put_u64(b, r->wall_us);
	put_u64(b, r->max_rss_kb);
	put_u64(b, r->output_bytes);
	put_u64(b, r->output_hash);
	put_str(b, r->text);
}

int job_result_get(struct reader *r, struct job_result *out, struct err *err)
{
	autofree char *text = NULL;

	*out = (struct job_result){ 0 };
	out->outcome = get_u8(r);
	out->step = get_u8(r);
	out->exit_status = get_u8(r);
	out->signal = get_u8(r);
	out->cpu_us = get_u64(r);
	out->wall_us = get_u64(r);
	out->max_rss_kb = get_u64(r);
	out->output_bytes = get_u64(r);
	out->output_hash = get_u64(r);
	text = get_str(r);
	strncpy(out->text, text, sizeof out->text - 1);
	make_printable(out->text);
	if (!reader_done(r) || out->outcome >= JOB_OUTCOMES)
		return err_set(err, ERR_WIRE, "result: wrong length or outcome");
	return 0;
}
