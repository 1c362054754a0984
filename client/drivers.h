/*
 * drivers.h - the names that compiler drivers go by.
 */
#ifndef RCC_DRIVERS_H
#define RCC_DRIVERS_H

#include "base.h"

/* [target-](cc|c++|gcc|g++|clang|clang++|c89|c99)[-version]; base has no slash. */
bool driver_name(const char *base);

#endif
