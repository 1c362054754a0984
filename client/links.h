/*
 * links.h - rcc --install-links DIR.
 */
#ifndef RCC_LINKS_H
#define RCC_LINKS_H

/* Makes the links and prints what was done. Returns the exit status. */
int links_install(const char *dir);

#endif
