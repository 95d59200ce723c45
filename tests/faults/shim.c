/* What a disk and a clock can do to a program, for LD_PRELOAD: steered by a small file that a test writes into.
 *
 *   offset 0  u32  every fsync and fdatasync takes so many milliseconds longer
 *   offset 4  i32  ... and then fails with this errno, where it is not 0
 *   offset 8  i64  the wall clock is so many seconds ahead
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
    uint32_t sync_ms;
    int32_t sync_errno;
    int64_t wall_s;
};
static volatile struct faults *faults;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof(struct faults), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    faults = map == MAP_FAILED ? NULL : map;
}

static int suffer(long number, int fd)
{
    if (faults) {
        uint32_t ms = faults->sync_ms;
        struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
        nanosleep(&pause, NULL);
        if (faults->sync_errno) {
            errno = faults->sync_errno;
            return -1;
        }
    }
    return (int)syscall(number, fd);
}

int fsync(int fd) { return suffer(SYS_fsync, fd); }
int fdatasync(int fd) { return suffer(SYS_fdatasync, fd); }

int clock_gettime(clockid_t id, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, id, now);
    if (done == 0 && id == CLOCK_REALTIME && faults)
        now->tv_sec += faults->wall_s;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec fine;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &fine);
    now->tv_sec = fine.tv_sec;
    now->tv_usec = fine.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec fine;
    clock_gettime(CLOCK_REALTIME, &fine);
    if (now)
        *now = fine.tv_sec;
    return fine.tv_sec;
}
