/* The shared test vectors, from C's side: what the core sends must be the vector's bytes, what the host sends must be
   understood. And two pipes, so that another implementation can be held against this one on any input.

     vectors FILE        check every line; a line is: device|host  name  field=value ...  wire=hex
     vectors --decode    bytes on standard input, one line of hex out for each good payload, then "bad N"
     vectors --encode    lines of hex payloads in, lines of hex frames out */
#include <string.h>

#include "../core/bytes.h"
#include "../core/control.h"
#include "../core/link.h"
#include "../core/stream.h"
#include "fake_hal.h"

enum { LINE_BYTES = 1024, FIELDS = 32 };

static struct {
    char *name, *value;
} fields[FIELDS];
static unsigned n_fields;

static const char *text(const char *name)
{
    for (unsigned i = 0; i < n_fields; i++) {
        if (!strcmp(fields[i].name, name)) {
            return fields[i].value;
        }
    }
    fprintf(stderr, "vector without %s\n", name);
    exit(1);
}

static uint32_t number(const char *name)
{
    return (uint32_t)strtoll(text(name), NULL, 0);
}

static unsigned from_hex(const char *hex, uint8_t *bytes)
{
    unsigned n = 0, byte;
    while (sscanf(hex, "%2x", &byte) == 1) {
        bytes[n++] = (uint8_t)byte;
        hex += 2;
    }
    return n;
}

static void print_hex(const uint8_t *bytes, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

/* --- device: make the core send this message --- */

static void start_stream(uint8_t streams, uint16_t period_us)
{
    uint8_t body[START_BYTES] = { streams, (uint8_t)period_us, (uint8_t)(period_us >> 8), POSITION_MAX_SAMPLES,
                                  (uint8_t)number("stream_id") };
    give_command(COMMAND_START, 0, body, sizeof body);
}

static void reach_seq(void)
{
    /* the link counts from 0 with every start; HELLO, ACK and the like have used some */
    uint8_t wanted = (uint8_t)number("seq"), seq;
    do {
        forget_sent();
        link_send(MESSAGE_EVENT, link_body());
        seq = sent_bytes[0] > 2 ? sent_bytes[2] : 0;
    } while ((uint8_t)(seq + 1) != wanted);
    forget_sent();
}

static unsigned counts(int32_t *values)
{
    unsigned n = 0;
    char list[LINE_BYTES];
    strcpy(list, text("counts"));
    for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
        values[n++] = (int32_t)strtol(one, NULL, 0);
    }
    return n;
}

static void device_hello(void)
{
    hal_identity.mcu = (uint8_t)number("mcu");
    hal_identity.reset_cause = (uint8_t)number("reset_cause");
    hal_identity.boot_id = (uint16_t)number("boot_id");
    hal_identity.serial = number("serial");
    hal_identity.cpu_khz = (uint16_t)number("f_cpu_khz");
    hal_identity.build = number("build");
    give_command(COMMAND_HELLO, 0, NULL, 0);
    fake.now_us = number("t_us");
    control_poll(fake.now_us);
}

static void device_status(void)
{
    for (uint32_t i = 0; i < number("rx_bad"); i++) {
        control_receive(1);
        control_receive(0);
    }
    hal_identity.boot_id = (uint16_t)number("boot_id");
    fake.counters.samples_overrun = (uint16_t)number("samp_overrun");
    fake.counters.encoder_illegal = (uint16_t)number("enc_illegal");
    fake.counters.rx_overrun = (uint16_t)number("rx_overrun");
    control_poll(fake.now_us); /* an EVENT tells of the illegal transitions */
    reach_seq();
    link_take_counters();
    fake.tx_free = (uint8_t)number("tx_min_free");
    give_command(COMMAND_STATUS, 0, NULL, 0);
    fake.now_us = number("t_us");
    control_poll(fake.now_us);
}

static void device_pong(void)
{
    uint8_t token[PING_BYTES];
    put_u32(token, number("token"));
    fake.now_us = number("t_rx_us");
    give_command(COMMAND_PING, 0, token, sizeof token);
}

static void device_ack(void)
{
    give_command((uint8_t)number("command"), (uint8_t)number("command_seq"), NULL, 0);
}

static void device_pos(void)
{
    int32_t values[POSITION_MAX_SAMPLES];
    unsigned n = counts(values);
    for (unsigned i = 0; i < n; i++) {
        stream_position((uint16_t)(number("idx") + i), number("t0_us") + i * number("period_us"), values[i]);
    }
    stream_stop();
}

static void device_force(void)
{
    int32_t values[FORCE_MAX_SAMPLES];
    unsigned n = counts(values);
    for (unsigned i = 0; i < n; i++) {
        uint32_t later_us = n > 1 ? number("span_us") * i / (n - 1) : 0;
        uint8_t missed = (uint8_t)(i ? 0 : number("idx"));
        stream_force(number("t_first_us") + later_us, values[i], (uint8_t)number("flags"), missed);
    }
    stream_stop();
}

static void device_event(void)
{
    control_event((uint8_t)number("code"), number("arg"), number("t_us"));
    fake.now_us += 1000;
    control_poll(fake.now_us);
}

static const struct {
    const char *name;
    void (*send)(void);
} device[] = {
    { "hello", device_hello }, { "status", device_status }, { "pong", device_pong },   { "ack", device_ack },
    { "pos", device_pos },     { "force", device_force },   { "event", device_event },
};

static bool check_device(const char *name)
{
    uint8_t wire[LINE_BYTES];
    unsigned n_wire = from_hex(text("wire"), wire);
    for (unsigned i = 0; i < sizeof device / sizeof device[0]; i++) {
        if (!strcmp(device[i].name, name)) {
            fake_start();
            control_poll(fake.now_us); /* HELLO */
            if (!strcmp(name, "pos")) {
                start_stream(STREAM_POSITION, (uint16_t)number("period_us"));
            } else if (!strcmp(name, "force")) {
                start_stream(STREAM_FORCE, 2000);
            }
            reach_seq();
            device[i].send();
            return n_sent_bytes == n_wire && !memcmp(sent_bytes, wire, n_wire);
        }
    }
    return false;
}

/* --- host: understand this command --- */

static const struct {
    const char *name;
    uint8_t type;
    const char *body; /* a digit for the width, then the field */
    uint8_t answer;
} host[] = {
    { "hello_request", COMMAND_HELLO, "", MESSAGE_HELLO },
    { "start", COMMAND_START, "1streams 2period_us 1batch 1stream_id", MESSAGE_ACK },
    { "stop", COMMAND_STOP, "", MESSAGE_ACK },
    { "ping", COMMAND_PING, "4token", MESSAGE_PONG },
    { "status_request", COMMAND_STATUS, "", MESSAGE_STATUS },
    { "set_adc", COMMAND_SET_ADC, "1gain 2rate_sps", MESSAGE_ACK },
};

static bool check_host(const char *name)
{
    uint8_t wire[LINE_BYTES], wanted[PAYLOAD_MAX_BYTES];
    unsigned n_wire = from_hex(text("wire"), wire), n_wanted = 2;
    for (unsigned i = 0; i < sizeof host / sizeof host[0]; i++) {
        if (strcmp(host[i].name, name)) {
            continue;
        }
        wanted[0] = host[i].type;
        wanted[1] = (uint8_t)number("seq");
        char body[LINE_BYTES];
        strcpy(body, host[i].body);
        for (char *field = strtok(body, " "); field; field = strtok(NULL, " ")) {
            uint32_t value = number(field + 1);
            for (int byte = 0; byte < field[0] - '0'; byte++) {
                wanted[n_wanted++] = (uint8_t)(value >> 8 * byte);
            }
        }
        struct frame_decoder decoder = { .n_bytes = 0 };
        uint8_t length = 0;
        fake_start();
        control_poll(fake.now_us);
        forget_sent();
        for (unsigned at = 0; at < n_wire; at++) {
            length = frame_decode(&decoder, wire[at]);
            control_receive(wire[at]);
        }
        control_poll(fake.now_us);
        struct sent answer;
        return length == n_wanted && !memcmp(decoder.bytes, wanted, n_wanted) && take_sent(&answer) &&
               answer.type == host[i].answer && (answer.type != MESSAGE_ACK || answer.body[2] == RESULT_OK);
    }
    return false;
}

static int check_file(const char *path)
{
    char line[LINE_BYTES], whole[LINE_BYTES];
    unsigned n = 0, wrong = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        strcpy(whole, line);
        char *side = strtok(line, " \n");
        if (!side || side[0] == '#') {
            continue;
        }
        char *name = strtok(NULL, " \n");
        n_fields = 0;
        for (char *field; n_fields < FIELDS && (field = strtok(NULL, " \n"));) {
            fields[n_fields].name = field;
            field[strcspn(field, "=")] = 0;
            fields[n_fields].value = field + strlen(field) + 1;
            n_fields++;
        }
        n++;
        if (!(strcmp(side, "device") ? check_host(name) : check_device(name))) {
            fprintf(stderr, "wrong: %s sent: ", whole);
            fflush(stderr);
            print_hex(sent_bytes, n_sent_bytes);
            wrong++;
        }
    }
    fclose(file);
    printf("%u vectors, %u wrong\n", n, wrong);
    return wrong || !n;
}

static int decode(void)
{
    struct frame_decoder decoder = { .n_bytes = 0 };
    for (int byte; (byte = getchar()) != EOF;) {
        uint8_t n_bytes = frame_decode(&decoder, (uint8_t)byte);
        if (n_bytes) {
            print_hex(decoder.bytes, n_bytes);
        }
    }
    printf("bad %u\n", decoder.bad);
    return 0;
}

static int encode(void)
{
    char line[LINE_BYTES];
    uint8_t payload[LINE_BYTES], wire[WIRE_MAX_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        uint8_t n_bytes = (uint8_t)from_hex(line, payload);
        print_hex(wire, frame_encode(payload, n_bytes, wire));
    }
    return 0;
}

int main(int n_words, char **words)
{
    if (n_words != 2) {
        fputs("usage: vectors FILE | --decode | --encode\n", stderr);
        return 2;
    }
    return !strcmp(words[1], "--decode") ? decode() : !strcmp(words[1], "--encode") ? encode() : check_file(words[1]);
}
