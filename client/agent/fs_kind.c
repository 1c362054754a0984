/*
 * fs_kind.c - a row per file system that we know something of.
 *
 * Kernel clocks tick each few milliseconds; 2 s leave room for any of them. The
 * time of another machine may be off by more, so what is not known gets 10 s.
 * An overlay's names follow its upper directory, but its lower one may change
 * without any time moving, so its names are looked up one by one.
 */
#include "fs_kind.h"

#define LOCAL .current = true, .stays = true, .names = true, .settle_s = 2

static const struct fs_kind kinds[] = {
	{ "ext4", 0xef53, LOCAL },
	{ "xfs", 0x58465342, LOCAL },
	{ "btrfs", 0x9123683e, LOCAL },
	{ "f2fs", 0xf2f52010, LOCAL },
	{ "zfs", 0x2fc12fc1, LOCAL },
	{ "bcachefs", 0xca451a4e, LOCAL },
	{ "tmpfs", 0x01021994, LOCAL },
	{ "ramfs", 0x858458f6, LOCAL },
	{ "overlay", 0x794c7630, .current = true, .settle_s = 2 },
	{ "squashfs", 0x73717368, .fixed_times = true },
	{ "erofs", 0xe0f5e1e2, .fixed_times = true },
	{ "iso9660", 0x9660, .fixed_times = true },
	{ "cramfs", 0x28cd3d45, .fixed_times = true },
	{ "romfs", 0x7275, .fixed_times = true },
	{ "proc", 0x9fa0, .made_up = true },
	{ "sysfs", 0x62656572, .made_up = true },
	{ "cgroup", 0x27e0eb, .made_up = true },
	{ "cgroup2", 0x63677270, .made_up = true },
	{ "debugfs", 0x64626720, .made_up = true },
	{ "tracefs", 0x74726163, .made_up = true },
	{ "securityfs", 0x73636673, .made_up = true },
	{ "efivarfs", 0xde5e81e4, .made_up = true },
	{ "pstore", 0x6165676c, .made_up = true },
	{ "bpf", 0xcafe4a11, .made_up = true },
	{ "devpts", 0x1cd1, .made_up = true },
	{ "mqueue", 0x19800202, .made_up = true },
};

static const struct fs_kind unknown = { "unknown", 0, .settle_s = 10 };

const struct fs_kind *fs_kind_of(uint32_t magic)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].magic == magic)
			return &kinds[i];
	return &unknown;
}
