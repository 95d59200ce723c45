/* The quadrature encoder at its pin-change interrupt. */
#ifndef ENCODER_H
#define ENCODER_H

#include "../../core/quadrature.h"

extern struct quadrature encoder; /* read it with interrupts off */

void encoder_start(void);
void encoder_breathe(void); /* once in each round of the main loop */

#endif
