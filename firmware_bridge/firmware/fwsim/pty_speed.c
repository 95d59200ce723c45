/* The speed that the other side of a pty has set; alone in a file, because its headers clash with <termios.h>.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <asm/ioctls.h>
#include <asm/termbits.h>

int ioctl(int fd, unsigned long request, ...);
unsigned pty_speed(int fd);

unsigned pty_speed(int fd)
{
    struct termios2 setting;
    return ioctl(fd, TCGETS2, &setting) ? 0 : setting.c_ospeed;
}
