/*
 * Copyright (c) 2026 the tcpserverd developers.  ISC licence, see LICENSE.
 *
 * The classic texts of system errors.  Log watchers match on them, so they
 * are the same on every system and never strerror(3)'s.
 */
#include <errno.h>
#include <stddef.h>

#include "ucspi.h"
#include "compat.h"

static const struct {
	int		 code;
	const char	*text;
} errors[] = {
	{ 0,			"no error" },
	{ EINTR,		"interrupted system call" },
	{ ENOMEM,		"out of memory" },
	{ ENOENT,		"file does not exist" },
	{ ETXTBSY,		"text busy" },
	{ EIO,			"input/output error" },
	{ EEXIST,		"file already exists" },
	{ ETIMEDOUT,		"timed out" },
	{ EINPROGRESS,		"operation in progress" },
	{ EAGAIN,		"temporary failure" },
	{ EPIPE,		"broken pipe" },
	{ EPERM,		"permission denied" },
	{ EACCES,		"access denied" },
	{ ENXIO,		"device not configured" },
	{ EPROTO,		"protocol error" },
	{ EISDIR,		"is a directory" },
	{ E2BIG,		"argument list too long" },
	{ ENOEXEC,		"exec format error" },
	{ EBADF,		"file descriptor not open" },
	{ EFAULT,		"bad address" },
	{ EBUSY,		"device busy" },
	{ EXDEV,		"cross-device link" },
	{ ENOTDIR,		"not a directory" },
	{ EINVAL,		"invalid argument" },
	{ ENFILE,		"system cannot open more files" },
	{ EMFILE,		"process cannot open more files" },
	{ EFBIG,		"file too big" },
	{ ENOSPC,		"out of disk space" },
	{ EROFS,		"read-only file system" },
	{ EPROTONOSUPPORT,	"protocol not supported" },
	{ EOPNOTSUPP,		"operation not supported" },
	{ EAFNOSUPPORT,		"address family not supported" },
	{ EADDRINUSE,		"address already used" },
	{ EADDRNOTAVAIL,	"address not available" },
	{ ENETDOWN,		"network down" },
	{ ENETUNREACH,		"network unreachable" },
	{ ENETRESET,		"network reset" },
	{ ECONNABORTED,		"connection aborted" },
	{ ECONNRESET,		"connection reset" },
	{ ENOBUFS,		"out of buffer space" },
	{ EISCONN,		"already connected" },
	{ ENOTCONN,		"not connected" },
	{ ECONNREFUSED,		"connection refused" },
	{ ELOOP,		"symbolic link loop" },
	{ ENAMETOOLONG,		"file name too long" },
	{ EHOSTDOWN,		"host down" },
	{ EHOSTUNREACH,		"host unreachable" },
	{ ENOTEMPTY,		"directory not empty" },
	{ EDQUOT,		"disk quota exceeded" },
	{ ESTALE,		"stale NFS file handle" },
	{ ENOSYS,		"system call not available" },
};

const char *
ucspi_strerror(int code)
{
	size_t	i;

	for (i = 0; i < nitems(errors); i++) {
		if (errors[i].code == code)
			return (errors[i].text);
	}
	return ("unknown error");
}
