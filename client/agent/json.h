/*
 * json.h - the agent's answers as JSON text.
 */
#ifndef RCC_JSON_H
#define RCC_JSON_H

#include <jansson.h>

/* With a newline; takes j over. Caller frees. */
char *json_text(json_t *j);
/* JSON is UTF-8, names are bytes: in one that is not UTF-8, bytes beyond ASCII show as '?'. NULL as "". */
json_t *json_name(const char *s);

#endif
