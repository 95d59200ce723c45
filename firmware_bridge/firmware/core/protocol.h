/* The numbers of wire protocol 1; PROTOCOL.md beside the Python bridge draws every message byte by byte. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

enum { PROTOCOL_VERSION = 1 };

/* A payload is type, seq, body, crc. At most 62 bytes, so that COBS costs exactly one byte, and one zero ends it. */
enum { BODY_MAX_BYTES = 58, PAYLOAD_MAX_BYTES = 62, WIRE_MAX_BYTES = 64, FRAME_OVERHEAD_BYTES = 6 };

enum message_to_host {
    MESSAGE_HELLO = 0x01,
    MESSAGE_STATUS = 0x02,
    MESSAGE_PONG = 0x03,
    MESSAGE_ACK = 0x04,
    MESSAGE_POSITION = 0x10,
    MESSAGE_FORCE = 0x11,
    MESSAGE_EVENT = 0x12,
};

enum command_from_host {
    COMMAND_HELLO = 0x81,
    COMMAND_START = 0x82,
    COMMAND_STOP = 0x83,
    COMMAND_PING = 0x84,
    COMMAND_STATUS = 0x85,
    COMMAND_SET_ADC = 0x86,
};

/* Body lengths of the messages that do not vary. */
enum { HELLO_BYTES = 27, STATUS_BYTES = 23, PONG_BYTES = 12, ACK_BYTES = 3, EVENT_BYTES = 9 };
enum { POSITION_HEAD_BYTES = 10, POSITION_MAX_SAMPLES = 15, FORCE_HEAD_BYTES = 11, FORCE_MAX_SAMPLES = 14 };
enum { START_BYTES = 5, PING_BYTES = 4, SET_ADC_BYTES = 3 };

enum result { RESULT_OK = 0, RESULT_UNKNOWN = 1, RESULT_ARGUMENT = 2 };
enum stream_bit { STREAM_POSITION = 1, STREAM_FORCE = 2 };
enum force_flag { FORCE_TIMEOUT = 1, FORCE_SATURATED = 2, FORCE_DESYNC = 4, FORCE_LATE = 8 };
enum status_flag { STATUS_STREAMING = 1, STATUS_ADC_FAULT = 2 };
enum capability { CAN_POSITION = 1, CAN_FORCE = 2, CAN_SET_ADC = 4 };
enum adc_type { ADC_NONE = 0, ADC_HX711 = 1, ADC_ADS1220 = 2, ADC_NAU7802 = 3 };
enum mcu { MCU_ATMEGA328P = 1, MCU_ATMEGA2560 = 2, MCU_ATMEGA1284P = 3 };
enum event_code { EVENT_ADC_LOST = 1, EVENT_ADC_BACK = 2, EVENT_ENCODER_ILLEGAL = 3, EVENT_CODES = 3 };

enum { PERIOD_MIN_US = 400, PERIOD_MAX_US = 30000 };

#endif
