/* The board's EEPROM in a file, so that a board that is unplugged and comes back has counted its boots.
   SPDX-License-Identifier: MIT (see fwsim.h) */
#include <stdio.h>
#include <string.h>

#include <avr_eeprom.h>

#include "fwsim.h"

enum { KEPT_BYTES = 64 };

static const char *path;
static uint8_t kept[KEPT_BYTES];

void eeprom_load(const char *from_path)
{
    path = from_path;
    memset(kept, 0xff, sizeof kept);
    FILE *file = fopen(path, "rb");
    if (file) { /* a new board has none */
        size_t n = fread(kept, 1, sizeof kept, file);
        fclose(file);
        avr_eeprom_desc_t all = { .ee = kept, .offset = 0, .size = (uint32_t)n };
        avr_ioctl(avr, AVR_IOCTL_EEPROM_SET, &all);
    }
}

void eeprom_poll(void)
{
    avr_eeprom_desc_t now = { .ee = NULL, .offset = 0, .size = KEPT_BYTES };
    if (!path) {
        return;
    }
    avr_ioctl(avr, AVR_IOCTL_EEPROM_GET, &now); /* says -1 whether it worked or not */
    if (!now.ee || !memcmp(now.ee, kept, sizeof kept)) {
        return;
    }
    memcpy(kept, now.ee, sizeof kept);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(kept, 1, sizeof kept, file) != sizeof kept || fclose(file)) {
        fail("%s: cannot be written", path);
    }
}
