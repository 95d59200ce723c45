/* The firmware's version, which HELLO contains. */
#ifndef VERSION_H
#define VERSION_H

enum { FIRMWARE_MAJOR = 1, FIRMWARE_MINOR = 0, FIRMWARE_PATCH = 0 };

#endif
