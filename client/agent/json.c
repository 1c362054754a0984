/*
 * json.c - two things that jansson leaves to its users.
 */
#include "json.h"

#include "base.h"

char *json_text(json_t *j)
{
	char *dump = json_dumps(j, JSON_INDENT(2));
	char *text = xasprintf("%s\n", dump ? dump : "null");

	free(dump);
	json_decref(j);
	return text;
}

json_t *json_name(const char *s)
{
	json_t *j = json_string(s ? s : "");
	autofree char *ascii = NULL;

	if (j)
		return j;
	ascii = xstrdup(s);
	for (char *c = ascii; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(ascii);
}
