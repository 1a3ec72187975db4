# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From a frame to seeds, one pass over the pixels; the oracle is tests.oracles.camera.frame, bit for bit.

The interpreter's lock is released.
"""

from libc.math cimport rint, trunc
from libc.stdint cimport int64_t, uint16_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

cdef extern from "_rows.h" nogil:
    void copy_row(const uint16_t *first, long step, long width, uint16_t *row)
    uint64_t sum_row(const uint16_t *raw, long width)
    void suppress_row(const uint16_t *raw, const float *mean, const float *rms, double nsigma, int cimax, long width,
                      double *light, double *columns, double *sum, double *squares)
    void median_row(const double *above, const double *here, long width, double *low, double *high, double *columns)


def total(const uint16_t[:, :] frame):
    """Return the sum of all counts of a frame whose rows may be stored backwards."""
    cdef uint64_t counted = 0
    cdef Py_ssize_t r, c, rows = frame.shape[0], width = frame.shape[1]
    cdef Py_ssize_t step = frame.strides[1] // <Py_ssize_t>sizeof(uint16_t)
    with nogil:
        for r in range(rows):
            if step == 1 or step == -1:
                counted += sum_row(&frame[r, 0 if step == 1 else width - 1], width)
            else:
                for c in range(width):
                    counted += frame[r, c]
    return counted


def coarse_images(const uint16_t[:, :] frame, const float[:, ::1] mean, const float[:, ::1] rms, double nsigma,
                  int cimax, Py_ssize_t first, Py_ssize_t last, Py_ssize_t rebin, double[:, ::1] coarse,
                  double[:, ::1] edge):
    """Fill the coarse image and the coarse median; return sum and sum of squares of the suppressed image.

    Only the rows ``first <= row < last`` are not dark.
    """
    cdef Py_ssize_t width = frame.shape[1], r, R, C, k, end = min(last + 1, frame.shape[0])
    cdef Py_ssize_t step = frame.strides[1] // <Py_ssize_t>sizeof(uint16_t)
    cdef double sums = 0.0, squares = 0.0, a, b
    cdef double scale = 1.0 / (rebin * rebin)
    cdef double *buffer = <double *>malloc(6 * width * sizeof(double))
    cdef uint16_t *counts = <uint16_t *>malloc(width * sizeof(uint16_t))
    cdef double *above = buffer
    cdef double *here = buffer + width
    cdef double *low = buffer + 2 * width
    cdef double *high = buffer + 3 * width
    cdef double *light_columns = buffer + 4 * width
    cdef double *median_columns = buffer + 5 * width
    cdef double *swap
    if buffer == NULL or counts == NULL:
        free(buffer)
        free(counts)
        raise MemoryError
    with nogil:
        memset(buffer, 0, 6 * width * sizeof(double))
        memset(&coarse[0, 0], 0, coarse.shape[0] * coarse.shape[1] * sizeof(double))
        memset(&edge[0, 0], 0, edge.shape[0] * edge.shape[1] * sizeof(double))
        for r in range(first, end):  # the row after the last is dark, but its median may see the one above
            if r < last:
                copy_row(&frame[r, 0], step, width, counts)
                suppress_row(counts, &mean[r, 0], &rms[r, 0], nsigma, cimax, width, here, light_columns, &sums,
                             &squares)
            else:
                memset(here, 0, width * sizeof(double))
            median_row(here if r == 0 else above, here, width, low, high, median_columns)
            if (r + 1) % rebin == 0 or r + 1 == end:
                R = r // rebin
                for C in range(coarse.shape[1]):
                    a = b = 0.0
                    for k in range(C * rebin, (C + 1) * rebin):
                        a += light_columns[k]
                        b += median_columns[k]
                    coarse[R, C] = a * scale
                    edge[R, C] = b * scale
                memset(light_columns, 0, 2 * width * sizeof(double))
            swap = above
            above = here
            here = swap
    free(buffer)
    free(counts)
    return sums, squares


def reduce_noise(double[:, ::1] edge, float min_neighbors_average):
    """Remove isolated cells from a coarse image, in place and in raster order."""
    cdef Py_ssize_t rows = edge.shape[0]
    cdef Py_ssize_t cols = edge.shape[1]
    cdef Py_ssize_t r, c
    cdef int filled
    cdef float q0, q1, q2, q3, q4, q5, q6, q7, s, m, difference
    with nogil:
        for r in range(rows):
            for c in range(cols):
                if r < 2 or c < 2 or r >= rows - 2 or c >= cols - 2:
                    edge[r, c] = 0.0
        for r in range(1, rows - 2):
            for c in range(1, cols - 2):
                q0 = <float>edge[r - 1, c - 1]
                q1 = <float>edge[r, c - 1]
                q2 = <float>edge[r + 1, c - 1]
                q3 = <float>edge[r - 1, c]
                q4 = <float>edge[r + 1, c]
                q5 = <float>edge[r - 1, c + 1]
                q6 = <float>edge[r, c + 1]
                q7 = <float>edge[r + 1, c + 1]
                s = <float>edge[r, c]
                m = q0 + q1
                m = m + q2
                m = m + q3
                m = m + q4
                m = m + q5
                m = m + q6
                m = m + q7
                m = m * <float>0.125
                filled = ((q0 != 0) + (q1 != 0) + (q2 != 0) + (q3 != 0) + (q4 != 0) + (q5 != 0) + (q6 != 0)
                          + (q7 != 0) + (s != 0))
                difference = s - m
                if difference > 10 or difference < -10:
                    edge[r, c] = <double>m
                if m < min_neighbors_average:
                    edge[r, c] = 0.0
                if filled < 3:
                    edge[r, c] = 0.0


def find_seeds(const double[:, ::1] edge, const double[:, ::1] coarse):
    """Return the cells (n, 2) above one half in raster order, and their weights."""
    cdef Py_ssize_t rows = edge.shape[0], cols = edge.shape[1], r, c, n = 0
    cdef int64_t[:, ::1] cells
    cdef int64_t[::1] weights
    with nogil:
        for r in range(rows):
            for c in range(cols):
                n += rint(edge[r, c]) != 0
    found = np.empty((n, 2), dtype=np.int64), np.empty(n, dtype=np.int64)
    cells, weights = found
    n = 0
    with nogil:
        for r in range(rows):
            for c in range(cols):
                if rint(edge[r, c]) != 0:
                    cells[n, 0], cells[n, 1] = r, c
                    weights[n] = <int64_t>trunc(coarse[r, c]) if coarse[r, c] >= 1 else 1
                    n += 1
    return found
