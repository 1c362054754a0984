/*
 * notify.h - tell the service manager how it goes (sd_notify's protocol).
 */
#ifndef RCC_NOTIFY_H
#define RCC_NOTIFY_H

/* "READY=1", "STOPPING=1"; does nothing when nobody asked. */
void notify(const char *state);

#endif
