# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled noise reduction; autoctrl.camera.reference says what it must compute, bit for bit."""


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
