/*
 * test_plan_cache.c - what is recalled is word for word what the driver said
 * for the same command, or nothing.
 */
#include "unit.h"

#include "plan_cache.h"
#include "plan_cache_recorded.h"
#include "plan_parse.h"

#define TEMP "/tmp/t"

static struct argv words_of(const char *command)
{
	struct argv argv = { 0 };
	autofree char *words = xstrdup(command);

	for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
		argv_push(&argv, w);
	return argv;
}

/* As planner.c has it before it makes a plan of it. Caller frees. */
static char *answer_to(const char *command)
{
	for (size_t i = 0; i < ARRAY_LEN(recorded); i++)
		if (str_eq(recorded[i].command, command)) {
			char *text = xstrdup(recorded[i].answer);

			plan_cache_settle(text, TEMP);
			return text;
		}
	fail_msg("not recorded: %s", command);
	return NULL;
}

static void learn_text(struct plan_cache *c, const char *context, const char *command, const char *text,
		       const char *stamp)
{
	autoargv struct argv argv = words_of(command), directories = words_of("/usr /usr/lib");
	struct plan_options options = { .temp_dir = TEMP };
	struct plan *p = NULL;
	struct err err = { 0 };
	enum dialect dialect = str_starts(command, "gcc") ? DIALECT_GCC : DIALECT_CLANG;

	assert_int_equal(plan_make(dialect, &argv, text, &options, &p, &err), 0);
	plan_cache_learn(c, context, &argv, p, &directories, stamp);
	plan_free(p);
}

static void learn(struct plan_cache *c, const char *command)
{
	autofree char *text = answer_to(command);

	learn_text(c, "here", command, text, "then");
}

static const char *stamp_now;
static int stamps_taken;

static char *take_stamp(const struct argv *directories)
{
	assert_int_equal(directories->count, 2);
	assert_string_equal(directories->v[1], "/usr/lib");
	stamps_taken++;
	return xstrdup(stamp_now);
}

static char *recall(const struct plan_cache *c, const char *context, const char *command, const char *stamp)
{
	autoargv struct argv argv = words_of(command);

	stamp_now = stamp;
	return plan_cache_recall(c, context, &argv, take_stamp);
}

static void assert_unknown(const struct plan_cache *c, const char *command)
{
	autofree char *got = recall(c, "here", command, "then");

	assert_null(got);
}

/* The commands that were recalled are those that were recorded. */
static void assert_recalled(const struct plan_cache *c, const char *command)
{
	autofree char *got = recall(c, "here", command, "then"), *said = answer_to(command);
	struct plan_text a = { 0 }, b = { 0 };

	assert_non_null(got);
	plan_text_parse(&a, got);
	plan_text_parse(&b, said);
	assert_int_equal(a.verdict.reason, REASON_NONE);
	assert_int_equal(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		assert_int_equal(a.commands[i].argv.count, b.commands[i].argv.count);
		for (size_t j = 0; j < a.commands[i].argv.count; j++)
			assert_string_equal(a.commands[i].argv.v[j], b.commands[i].argv.v[j]);
	}
	plan_text_free(&a);
	plan_text_free(&b);
}

static void two_answers_give_the_third(void **state UNUSED)
{
	/* Groups of three like commands, in the order recorded. */
	for (size_t i = 0; i + 2 < ARRAY_LEN(recorded); i += 3) {
		struct plan_cache *c = plan_cache_new(100);

		assert_unknown(c, recorded[i].command);
		learn(c, recorded[i].command);
		assert_recalled(c, recorded[i].command);
		assert_unknown(c, recorded[i + 2].command);
		learn(c, recorded[i + 1].command);
		for (size_t j = i; j < i + 3; j++)
			assert_recalled(c, recorded[j].command);
		plan_cache_free(c);
	}
}

/* It holds for itself, and for no other name. */
static void the_same_name_twice_is_one_answer(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);
	autofree char *later = NULL;

	for (int i = 0; i < 2; i++) {
		learn(c, "clang -O2 -c a.c");
		assert_recalled(c, "clang -O2 -c a.c");
		assert_unknown(c, "clang -O2 -c b.c");
	}
	later = recall(c, "here", "clang -O2 -c a.c", "now");
	assert_null(later);
	plan_cache_free(c);
}

static void anything_else_in_the_command_counts(void **state UNUSED)
{
	static const char *const others[] = {
		"clang -O3 -c zed.c", "clang -c -O2 zed.c", "clang -O2 -c zed.cc", "clang -O2 -c dir/zed.c",
		"clang -O2 -c ./zed.c", "clang -O2 -c -o zed.o zed.c", "clang -O2 -c zed.c -c", "clang++ -O2 -c zed.c",
		"clang -O2 -c -I zed.c", "clang -O2 -c zed.c bb.c", "clang -O2 -c zed", "clang -O2 -c z\xc3\xa9.c",
		"clang -O2 -c .zed.c", "clang -O2 -c -- zed.c", "clang -O2 -c", "clang -O2 -c zed.c -ozed.o",
	};
	struct plan_cache *c = plan_cache_new(100);
	autofree char *elsewhere = NULL, *later = NULL;

	learn(c, "clang -O2 -c a.c");
	learn(c, "clang -O2 -c bb.c");
	assert_recalled(c, "clang -O2 -c zed.c");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_unknown(c, others[i]);
	elsewhere = recall(c, "there", "clang -O2 -c zed.c", "then");
	later = recall(c, "here", "clang -O2 -c zed.c", "now");
	assert_null(elsewhere);
	assert_null(later);
	plan_cache_free(c);
}

static void relations_between_names_count(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);

	learn(c, "clang -O2 -MD -c -o obj/a.o a.c");
	learn(c, "clang -O2 -MD -c -o obj/zed.o zed.c");
	assert_recalled(c, "clang -O2 -MD -c -o obj/bb.o bb.c");
	assert_unknown(c, "clang -O2 -MD -c -o out/bb.o bb.c");
	assert_unknown(c, "clang -O2 -MD -c -o obj/bb.lo bb.c");
	assert_unknown(c, "clang -O2 -MD -c -o /dev/null bb.c");
	learn(c, "gcc -MD -MT obj/a.c.o -MF obj/a.c.o.d -o obj/a.c.o -c src/a.c");
	learn(c, "gcc -MD -MT obj/q.c.o -MF obj/q.c.o.d -o obj/q.c.o -c src/q.c");
	assert_recalled(c, "gcc -MD -MT obj/zed.c.o -MF obj/zed.c.o.d -o obj/zed.c.o -c src/zed.c");
	/* the target has another name than the output */
	assert_unknown(c, "gcc -MD -MT obj/x.c.o -MF obj/x.c.o.d -o obj/zed.c.o -c src/zed.c");
	plan_cache_free(c);
}

#define CC1(words) " \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-emit-obj\" " words " \"-x\" \"c\" "

static void a_word_of_unknown_origin_makes_no_template(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);

	learn_text(c, "here", "clang -c a.c", CC1("\"-o\" \"a.o\" \"-DN=a\"") "\"a.c\"\n", "then");
	learn_text(c, "here", "clang -c b.c", CC1("\"-o\" \"b.o\" \"-DN=b\"") "\"b.c\"\n", "then");
	assert_unknown(c, "clang -c c.c");
	plan_cache_free(c);
}

static void what_the_driver_had_to_say_is_not_learnt(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);

	learn_text(c, "here", "clang -c a.c", "clang: warning: x\n" CC1("\"-o\" \"a.o\"") "\"a.c\"\n", "then");
	learn_text(c, "here", "clang -c b.c", "clang: warning: x\n" CC1("\"-o\" \"b.o\"") "\"b.c\"\n", "then");
	assert_unknown(c, "clang -c c.c");
	plan_cache_free(c);
}

static void another_stamp_starts_anew(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);
	autofree char *got = NULL, *of_a = answer_to("clang -O2 -c a.c"), *of_bb = answer_to("clang -O2 -c bb.c");

	learn(c, "clang -O2 -c a.c");
	learn_text(c, "here", "clang -O2 -c bb.c", of_bb, "now");
	assert_unknown(c, "clang -O2 -c zed.c");
	learn_text(c, "here", "clang -O2 -c a.c", of_a, "now");
	got = recall(c, "here", "clang -O2 -c zed.c", "now");
	assert_non_null(got);
	plan_cache_free(c);
}

static void a_full_cache_forgets(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(1);

	learn(c, "clang -O2 -c a.c");
	learn(c, "clang -O2 -c bb.c");
	assert_recalled(c, "clang -O2 -c zed.c");
	learn(c, "clang -O2 -MD -c -o obj/a.o a.c");
	assert_unknown(c, "clang -O2 -c zed.c");
	plan_cache_free(c);
}

static void directories_are_those_of_the_answers(void **state UNUSED)
{
	struct plan_cache *c = plan_cache_new(100);

	stamps_taken = 0;
	learn(c, "clang -O2 -c a.c");
	assert_unknown(c, "clang -O2 -c zed.c");
	assert_int_equal(stamps_taken, 0);
	learn(c, "clang -O2 -c bb.c");
	assert_recalled(c, "clang -O2 -c zed.c");
	assert_int_equal(stamps_taken, 1);
	plan_cache_free(c);
}

static void temporary_names_are_settled(void **state UNUSED)
{
	static const struct { const char *said, *settled; } rows[] = {
		{ "-o /t/ccAb3dEf.s", "-o /t/cc000000.s" },
		{ "/t/ccAb3dEf.s /t/ccZZZZZZ.o /t/ccAb3dEf.s", "/t/cc000000.s /t/cc000001.o /t/cc000000.s" },
		{ "\"/t/ccAb3dEf\" x", "\"/t/cc000000\" x" },
		{ "/t/ccAb3d.s", "/t/ccAb3d.s" },
		{ "/t/ccAb3dEfg.s /t/other.s", "/t/ccAb3dEfg.s /t/other.s" },
		{ "/u/ccAb3dEf.s /t/cc", "/u/ccAb3dEf.s /t/cc" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autofree char *text = xstrdup(rows[i].said);

		plan_cache_settle(text, "/t");
		assert_string_equal(text, rows[i].settled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_answers_give_the_third),
		cmocka_unit_test(the_same_name_twice_is_one_answer),
		cmocka_unit_test(anything_else_in_the_command_counts),
		cmocka_unit_test(relations_between_names_count),
		cmocka_unit_test(a_word_of_unknown_origin_makes_no_template),
		cmocka_unit_test(what_the_driver_had_to_say_is_not_learnt),
		cmocka_unit_test(another_stamp_starts_anew),
		cmocka_unit_test(a_full_cache_forgets),
		cmocka_unit_test(directories_are_those_of_the_answers),
		cmocka_unit_test(temporary_names_are_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
