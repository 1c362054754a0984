/*
 * unit.h - what every unit test includes before cmocka.h.
 */
#ifndef RCC_UNIT_H
#define RCC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
