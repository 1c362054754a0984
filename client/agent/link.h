/*
 * link.h - how fast the path to a volunteer is, by the kernel's own estimate.
 */
#ifndef RCC_LINK_H
#define RCC_LINK_H

#include "base.h"

/*
 * Bytes a second that the connection delivered lately; 0: not known.
 * *at_least: we had too little to send, it may be faster.
 * Source: tcp_info.tcpi_delivery_rate, linux/tcp.h (since Linux 4.9).
 */
uint64_t link_rate(int fd, bool *at_least);

#endif
