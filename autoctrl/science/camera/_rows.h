/* The loops over the pixels of one row. */
#include <stdint.h>

#include "_machine.h"

/* A row of the working frame from one that is stored forwards or, with step -1, backwards. */
static void copy_row(const uint16_t *first, long step, long width, uint16_t *row) {
    if (step == 1)
        for (long c = 0; c < width; c++) row[c] = first[c];
    else if (step == -1)
        for (long c = 0; c < width; c++) row[c] = first[-c];
    else
        for (long c = 0; c < width; c++) row[c] = first[c * step];
}

/* Sum of a row of raw counts. */
FOR_EACH_MACHINE
static uint64_t sum_row(const uint16_t *raw, long width) {
    uint64_t total = 0;
    for (long first = 0; first < width; first += 4096) {
        uint32_t part = 0; /* 4096 counts of 16 bits fit */
        long last = first + 4096 < width ? first + 4096 : width;
        for (long c = first; c < last; c++) part += raw[c];
        total += part;
    }
    return total;
}

/* From raw counts to light above the threshold, zero elsewhere; both sums grow. */
FOR_EACH_MACHINE
static void suppress_row(const uint16_t *raw, const float *mean, const float *rms, double nsigma, int cimax, long width,
                         double *light, double *columns, double *sum, double *squares) {
    double s = 0.0, q = 0.0;
    for (long c = 0; c < width; c++) {
        int count = raw[c] < cimax ? raw[c] : 0;
        double above = (double)count - (double)mean[c];
        double kept = above > (double)rms[c] * nsigma ? above : 0.0;
        light[c] = kept;
        columns[c] += kept;
    }
    double partial[4] = {0.0, 0.0, 0.0, 0.0}, square[4] = {0.0, 0.0, 0.0, 0.0};
    for (long c = 0; c + 3 < width; c += 4)
        for (int k = 0; k < 4; k++) {
            partial[k] += light[c + k];
            square[k] += light[c + k] * light[c + k];
        }
    for (int k = 0; k < 4; k++) {
        s += partial[k];
        q += square[k];
    }
    *sum += s;
    *squares += q;
}

/* Third smallest of each pixel, the one above, the one to the left and the one above that, added to the columns. */
FOR_EACH_MACHINE
static void median_row(const double *above, const double *here, long width, double *low, double *high,
                       double *columns) {
    for (long c = 0; c < width; c++) {
        double a = above[c], b = here[c];
        low[c] = a < b ? a : b;
        high[c] = a < b ? b : a;
    }
    columns[0] += high[0];
    for (long c = 1; c < width; c++) {
        double h = high[c - 1] < high[c] ? high[c - 1] : high[c];
        double l = low[c - 1] > low[c] ? low[c - 1] : low[c];
        columns[c] += h > l ? h : l;
    }
}
