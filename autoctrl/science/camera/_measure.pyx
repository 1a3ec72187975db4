# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The variables of clusters from the raw frame; the oracle is tests.oracles.camera.variables."""

from libc.math cimport atan2, copysign, exp, fabs, hypot, rint, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

NAMES = (
    "size", "nhits", "integral", "corrintegral", "rms", "theta", "axis", "length", "width", "lfullrms", "tfullrms",
    "longrms", "latrms", "lp0amplitude", "lp0prominence", "lp0mean", "lp0fwhm", "tp0fwhm", "lgaussamp", "lgaussmean",
    "lgausssigma", "lchi2", "lstatus", "tgaussamp", "tgaussmean", "tgausssigma", "tchi2", "tstatus", "xmean", "ymean",
    "xmin", "xmax", "ymin", "ymax",
)

cdef enum:
    SIZE, NHITS, INTEGRAL, CORRINTEGRAL, RMS, THETA, AXIS, LENGTH, WIDTH, LFULLRMS, TFULLRMS, LONGRMS, LATRMS
    LP0AMPLITUDE, LP0PROMINENCE, LP0MEAN, LP0FWHM, TP0FWHM, LGAUSS, LGAUSSMEAN, LGAUSSSIGMA, LCHI2, LSTATUS
    TGAUSS, TGAUSSMEAN, TGAUSSSIGMA, TCHI2, TSTATUS, XMEAN, YMEAN, XMIN, XMAX, YMIN, YMAX, COUNT

cdef enum:
    BLOCK = 8

cdef double DEGREES = 57.29577951308232
cdef double FILLER = -999.0
cdef double MIN_LIGHT = 10.0
cdef double NEED_ALONG = 25.0
cdef double NEED_ACROSS = 1 / 0.3 / 0.3
cdef double ROOT_TWO_PI = 2.506628
cdef double EMPTY_CHI2 = 999.0
cdef double TINY = 1e-9
# saturation of the amplification: a z^2 + b z + c per pixel, from the response a0, q0 and the gain constant K
cdef double GAIN = 0.015625 * 0.08 * 0.00018 / 1.60217662e-7
cdef double SQUARE = 0.1855 / GAIN
cdef double LINEAR = 1 - 2 * 0.1855 * 2.5
cdef double CONSTANT = 0.1855 * 2.5 * 2.5 * GAIN
# the peak finder: least height, distance, prominence, width
cdef double HEIGHT = 3, PROMINENCE = 2, PEAK_WIDTH = 2
cdef int DISTANCE = 6
cdef int MOST_STEPS = 200
cdef double ACCURACY = 1e-10


cdef struct Scratch:
    double *along      # one value per pixel of the largest cluster
    double *across
    int64_t *counts    # from here on one value per position along or across, and some
    int32_t *edges
    int32_t *bin_of
    double *y
    double *s
    double *x
    int32_t *peaks
    uint8_t *kept
    uint8_t *seen      # one bit per cell of the grid of positions
    size_t seen_bytes


cdef struct Profile:
    int32_t bins
    double mean
    double spread


cdef int reserve(Scratch *scratch, int64_t pixels, int64_t longest) noexcept nogil:
    """Make room for clusters of so many pixels and positions; return 0 if there is none."""
    scratch.along = <double *>malloc(pixels * sizeof(double))
    scratch.across = <double *>malloc(pixels * sizeof(double))
    scratch.counts = <int64_t *>malloc(longest * sizeof(int64_t))
    scratch.edges = <int32_t *>malloc(longest * sizeof(int32_t))
    scratch.bin_of = <int32_t *>malloc(longest * sizeof(int32_t))
    scratch.y = <double *>malloc(longest * sizeof(double))
    scratch.s = <double *>malloc(longest * sizeof(double))
    scratch.x = <double *>malloc(longest * sizeof(double))
    scratch.peaks = <int32_t *>malloc(longest * sizeof(int32_t))
    scratch.kept = <uint8_t *>malloc(longest)
    scratch.seen_bytes = <size_t>(longest * longest) // 8 + 1
    scratch.seen = <uint8_t *>malloc(scratch.seen_bytes)
    return (scratch.along != NULL and scratch.across != NULL and scratch.counts != NULL and scratch.edges != NULL
            and scratch.bin_of != NULL and scratch.y != NULL and scratch.s != NULL and scratch.x != NULL
            and scratch.peaks != NULL and scratch.kept != NULL and scratch.seen != NULL)


cdef void release(Scratch *scratch) noexcept nogil:
    free(scratch.along)
    free(scratch.across)
    free(scratch.counts)
    free(scratch.edges)
    free(scratch.bin_of)
    free(scratch.y)
    free(scratch.s)
    free(scratch.x)
    free(scratch.peaks)
    free(scratch.kept)
    free(scratch.seen)


cdef void measure_axes(const int64_t *cells, int64_t m, double *mr, double *mc, double *ca, double *sa,
                       double *out) noexcept nogil:
    """Set mean, major axis and angles of the cells, from whole sums."""
    cdef int64_t k, sr = 0, sc = 0, srr = 0, scc = 0, src = 0
    cdef double p, covariance, h, t, first_r = 1.0, first_c = 0.0, angle, divisor = <double>m * <double>(m - 1)
    for k in range(m):
        sr += cells[2 * k]
        sc += cells[2 * k + 1]
        srr += cells[2 * k] * cells[2 * k]
        scc += cells[2 * k + 1] * cells[2 * k + 1]
        src += cells[2 * k] * cells[2 * k + 1]
    mr[0] = <double>sr / m
    mc[0] = <double>sc / m
    p = <double>(m * (srr - scc) - sr * sr + sc * sc) / divisor / 2
    covariance = <double>(m * src - sr * sc) / divisor
    if covariance == 0:
        ca[0], sa[0] = (1.0, 0.0) if p >= 0 else (0.0, 1.0)
    else:
        h = p + copysign(hypot(p, covariance), p if p != 0 else 1.0)
        t = hypot(h, covariance)
        first_r, first_c = h / t, covariance / t
        ca[0], sa[0] = (first_r, first_c) if p >= 0 else (-first_c, first_r)
    out[THETA] = atan2(first_c, first_r) * DEGREES
    angle = atan2(sa[0], ca[0]) * DEGREES
    if angle > 90.0:
        angle -= 180.0
    elif angle <= -90.0:
        angle += 180.0
    out[AXIS] = angle


cdef Profile fill_profile(Scratch *scratch, const double *coordinate, const double *light, int64_t n, double low,
                          double high, double need) noexcept nogil:
    """Choose the bins of a profile and fill them."""
    cdef int64_t k, first = <int64_t>low, last = <int64_t>high, position, width
    cdef double collected = 0, z, total = 0, weighted = 0, squared = 0, a
    cdef int32_t edges = 1, i, j
    cdef Profile profile
    width = last - first + 1
    memset(scratch.counts, 0, width * sizeof(int64_t))
    for k in range(n):
        scratch.counts[<int64_t>coordinate[k] - first] += 1
    scratch.edges[0] = 0
    for position in range(width - 1):
        if collected < need:
            collected += scratch.counts[position]
        else:
            scratch.edges[edges] = <int32_t>position
            edges += 1
            collected = 0
    scratch.edges[edges] = <int32_t>(width - 1)
    profile.bins = edges
    for i in range(edges):
        scratch.y[i] = scratch.s[i] = 0.0
        scratch.x[i] = (scratch.edges[i] + scratch.edges[i + 1]) / 2.0
        for j in range(scratch.edges[i], scratch.edges[i + 1]):
            scratch.bin_of[j] = i
    for k in range(n):
        a = coordinate[k] - low
        if a >= width - 1:  # beyond the last edge
            continue
        z = light[k]
        i = scratch.bin_of[<int64_t>a]
        scratch.y[i] += z
        scratch.s[i] += z * z
        total += z
        weighted += z * a
        squared += z * (a * a)
    for i in range(edges):
        scratch.y[i] = <double><float>scratch.y[i]
        scratch.s[i] = sqrt(scratch.s[i])
    profile.mean = weighted / total if total != 0 else 0.0
    profile.spread = sqrt(fabs(squared / total - profile.mean * profile.mean)) if total != 0 else 0.0
    return profile


cdef void find_peak(Scratch *scratch, int32_t bins, double *amplitude, double *prominence, double *position,
                    double *width) noexcept nogil:
    """Find the peak with the largest position among those that are high, far, prominent and wide enough."""
    cdef const double *y = scratch.y
    cdef int32_t i = 1, ahead, count = 0, k, j, best, left, right
    cdef double low_left, low_right, level, from_, to
    amplitude[0] = prominence[0] = position[0] = width[0] = FILLER
    while i < bins - 1:  # the middle of every flat top
        if y[i - 1] < y[i]:
            ahead = i + 1
            while ahead < bins - 1 and y[ahead] == y[i]:
                ahead += 1
            if y[ahead] < y[i]:
                if y[i] >= HEIGHT:
                    scratch.peaks[count] = (i + ahead - 1) // 2
                    scratch.kept[count] = 1
                    count += 1
                i = ahead
        i += 1
    drop_near(scratch, count)
    for k in range(count - 1, -1, -1):
        if scratch.kept[k] != 3:
            continue
        best = scratch.peaks[k]
        low_left = low_right = y[best]
        left = right = best
        j = best
        while j >= 0 and y[j] <= y[best]:
            if y[j] < low_left:
                low_left, left = y[j], j
            j -= 1
        j = best
        while j < bins and y[j] <= y[best]:
            if y[j] < low_right:
                low_right, right = y[j], j
            j += 1
        level = y[best] - (low_left if low_left > low_right else low_right)
        if level < PROMINENCE:
            continue
        prominence[0] = level
        level = y[best] - level * 0.5
        j = best
        while left < j and level < y[j]:
            j -= 1
        from_ = j
        if y[j] < level:
            from_ += (level - y[j]) / (y[j + 1] - y[j])
        j = best
        while j < right and level < y[j]:
            j += 1
        to = j
        if y[j] < level:
            to -= (level - y[j]) / (y[j - 1] - y[j])
        if to - from_ < PEAK_WIDTH:
            continue
        amplitude[0], position[0], width[0] = y[best], scratch.x[best], to - from_
        return
    prominence[0] = FILLER


cdef void drop_near(Scratch *scratch, int32_t count) noexcept nogil:
    """Of peaks that are too near to each other keep the higher, the later of equals; a peak that stays is marked 3."""
    cdef int32_t turn, k, j
    for turn in range(count):
        j = -1
        for k in range(count):
            if scratch.kept[k] == 1 and (j < 0 or scratch.y[scratch.peaks[k]] >= scratch.y[scratch.peaks[j]]):
                j = k
        if j < 0:
            return
        scratch.kept[j] = 3
        k = j - 1
        while k >= 0 and scratch.peaks[j] - scratch.peaks[k] < DISTANCE:
            scratch.kept[k] = 0
            k -= 1
        k = j + 1
        while k < count and scratch.peaks[k] - scratch.peaks[j] < DISTANCE:
            scratch.kept[k] = 0
            k += 1


cdef double chi2_of(const Scratch *scratch, int32_t n, const double *p, double *gradient, double *hessian) noexcept nogil:
    """Return chi2 of a Gaussian; with room for them also half its gradient and the normal matrix (6 values)."""
    cdef double chi2 = 0, d, shape, residual, weight, j0, j1, j2
    cdef int32_t i
    if gradient != NULL:
        memset(gradient, 0, 3 * sizeof(double))
        memset(hessian, 0, 6 * sizeof(double))
    for i in range(n):
        if scratch.s[i] <= 0:
            continue
        d = (scratch.x[i] - p[1]) / p[2]
        shape = exp(-d * d / 2)
        weight = 1 / scratch.s[i]
        residual = (scratch.y[i] - p[0] * shape) * weight
        chi2 += residual * residual
        if gradient == NULL:
            continue
        j0 = shape * weight
        j1 = p[0] * j0 * d / p[2]
        j2 = j1 * d
        gradient[0] += residual * j0
        gradient[1] += residual * j1
        gradient[2] += residual * j2
        hessian[0] += j0 * j0
        hessian[1] += j0 * j1
        hessian[2] += j0 * j2
        hessian[3] += j1 * j1
        hessian[4] += j1 * j2
        hessian[5] += j2 * j2
    return chi2


cdef int solve(const double *h, const double *g, double damping, const uint8_t *is_fixed, double *step) noexcept nogil:
    """Solve the damped normal equations for the parameters that are not at a bound; return 0 if that is impossible."""
    cdef double a = h[0] * (1 + damping), b = h[1], c = h[2], d = h[3] * (1 + damping), e = h[4]
    cdef double f = h[5] * (1 + damping), y0 = g[0], y1 = g[1], y2 = g[2], l10, l20, l21, d1, d2
    if is_fixed[1]:
        b = e = y1 = 0.0
        d = 1.0
    if is_fixed[2]:
        c = e = y2 = 0.0
        f = 1.0
    if a <= 0:
        return 0
    l10, l20 = b / a, c / a
    d1 = d - l10 * b
    if d1 <= 0:
        return 0
    l21 = (e - l20 * b) / d1
    d2 = f - l20 * c - l21 * (e - l20 * b)
    if d2 <= 0:
        return 0
    y1 -= l10 * y0
    y2 -= l20 * y0 + l21 * y1
    step[2] = y2 / d2
    step[1] = y1 / d1 - l21 * step[2]
    step[0] = y0 / a - l10 * step[1] - l20 * step[2]
    return 1


cdef void fit_gaussian(const Scratch *scratch, Profile profile, double *out) noexcept nogil:
    """Minimise chi2 by the method of Levenberg and Marquardt within bounds; set five values."""
    cdef int32_t n = profile.bins, i, step_number
    cdef double total = 0, first = 0, second = 0, largest = scratch.y[0], least_step, variance
    cdef double p[3]
    cdef double trial[3]
    cdef double low[3]
    cdef double high[3]
    cdef double gradient[3]
    cdef double hessian[6]
    cdef double step[3]
    cdef uint8_t is_fixed[3]
    cdef double chi2, tried, damping = 1e-3, spread, change
    cdef bint is_done = False
    for i in range(n):
        total += scratch.y[i]
        first += scratch.y[i] * scratch.x[i]
        second += scratch.y[i] * (scratch.x[i] * scratch.x[i])
        largest = scratch.y[i] if scratch.y[i] > largest else largest
    if total == 0:
        out[0] = out[1] = out[2] = 0.0
        out[3], out[4] = EMPTY_CHI2, -1.0
        return
    least_step = scratch.x[1] - scratch.x[0] if n > 1 else 1.0
    for i in range(1, n):
        if scratch.x[i] - scratch.x[i - 1] < least_step:
            least_step = scratch.x[i] - scratch.x[i - 1]
    p[1] = first / total
    variance = second / total - p[1] * p[1]
    p[2] = sqrt(variance) if variance > 0 else least_step * n / 4
    p[0] = ((largest if largest > 0 else 0.0) + least_step * total / (ROOT_TWO_PI * p[2])) / 2
    spread = profile.spread if profile.spread > TINY else TINY
    low[1], high[1] = profile.mean - spread, profile.mean + spread
    low[2], high[2] = TINY, 10 * p[2]
    for i in range(1, 3):
        p[i] = low[i] if p[i] < low[i] else high[i] if p[i] > high[i] else p[i]
    chi2 = chi2_of(scratch, n, p, gradient, hessian)
    for step_number in range(MOST_STEPS):
        is_fixed[0] = 0
        for i in range(1, 3):
            is_fixed[i] = (p[i] <= low[i] and gradient[i] <= 0) or (p[i] >= high[i] and gradient[i] >= 0)
        if not solve(hessian, gradient, damping, is_fixed, step):
            damping *= 10
            if damping > 1e12:
                break
            continue
        for i in range(3):
            trial[i] = p[i] + (0.0 if is_fixed[i] else step[i])
        # no further than the linear picture holds
        trial[1] = p[1] - p[2] if trial[1] < p[1] - p[2] else p[1] + p[2] if trial[1] > p[1] + p[2] else trial[1]
        trial[2] = p[2] / 2 if trial[2] < p[2] / 2 else p[2] * 2 if trial[2] > p[2] * 2 else trial[2]
        for i in range(1, 3):
            trial[i] = low[i] if trial[i] < low[i] else high[i] if trial[i] > high[i] else trial[i]
        tried = chi2_of(scratch, n, trial, NULL, NULL)
        change = fabs(trial[1] - p[1]) / (fabs(p[1]) + spread) + fabs(trial[2] - p[2]) / p[2]
        change += fabs(trial[0] - p[0]) / (fabs(p[0]) + 1.0)
        if tried <= chi2:
            is_done = chi2 - tried <= ACCURACY * chi2 and change <= 1e-5
            p[0], p[1], p[2] = trial[0], trial[1], trial[2]
            chi2 = chi2_of(scratch, n, p, gradient, hessian)
            damping = damping / 10 if damping > 1e-12 else damping
        else:
            damping *= 10
            is_done = change <= ACCURACY
        if is_done or damping > 1e12:
            is_done = True
            break
    out[0], out[1], out[2], out[3] = p[0], p[1], p[2], chi2
    out[4] = 3.0 if is_done else 0.0


cdef void measure_spreads(Scratch *scratch, const double *light, int64_t n, double low_a, double low_b, double high_a,
                          double high_b, double *out) noexcept nogil:
    """Set the spreads along and across of pixels on an integer grid, where a later pixel replaces an earlier one."""
    cdef int64_t width = <int64_t>rint(high_b - low_b) + 1, k, a, b, cell
    cdef double total = 0, sa = 0, sb = 0, saa = 0, sbb = 0, z
    memset(scratch.seen, 0, (<int64_t>rint(high_a - low_a) + 1) * width // 8 + 1)
    for k in range(n - 1, -1, -1):
        a = <int64_t>rint(scratch.along[k] - low_a)
        b = <int64_t>rint(scratch.across[k] - low_b)
        cell = a * width + b
        if scratch.seen[cell >> 3] >> (cell & 7) & 1:
            continue
        scratch.seen[cell >> 3] |= 1 << (cell & 7)
        z = light[k]
        total += z
        sa += z * a
        sb += z * b
        saa += z * (a * a)
        sbb += z * (b * b)
    out[LONGRMS] = sqrt(fabs(saa / total - (sa / total) * (sa / total))) if total != 0 else 0.0
    out[LATRMS] = sqrt(fabs(sbb / total - (sb / total) * (sb / total))) if total != 0 else 0.0


cdef void measure_one(Scratch *scratch, const int64_t *cells, int64_t m, int64_t rebin, const int32_t *rows,
                      const int32_t *cols, const double *light, int64_t active, double *out) noexcept nogil:
    """Set all variables of one cluster."""
    cdef int64_t n = m * rebin * rebin, k
    cdef double mr, mc, ca, sa, total = 0, squares = 0, positive = 0, wr = 0, wc = 0, mean, deviation = 0, z, r, c
    cdef double low_a, high_a, low_b, high_b
    cdef int32_t low_r = rows[0], high_r = rows[0], low_c = cols[0], high_c = cols[0]
    cdef double dummy[3]
    cdef Profile profile
    measure_axes(cells, m, &mr, &mc, &ca, &sa, out)
    for k in range(n):
        z = light[k]
        total += z
        squares += z * z
        r, c = rows[k] - mr, cols[k] - mc
        scratch.along[k] = mr + ca * r + sa * c
        scratch.across[k] = mc - sa * r + ca * c
        low_r = rows[k] if rows[k] < low_r else low_r
        high_r = rows[k] if rows[k] > high_r else high_r
        low_c = cols[k] if cols[k] < low_c else low_c
        high_c = cols[k] if cols[k] > high_c else high_c
        if z > 0:
            positive += z
            wr += z * rows[k]
            wc += z * cols[k]
    mean = total / n
    low_a = high_a = scratch.along[0]
    low_b = high_b = scratch.across[0]
    for k in range(n):
        deviation += (light[k] - mean) * (light[k] - mean)
        low_a = scratch.along[k] if scratch.along[k] < low_a else low_a
        high_a = scratch.along[k] if scratch.along[k] > high_a else high_a
        low_b = scratch.across[k] if scratch.across[k] < low_b else low_b
        high_b = scratch.across[k] if scratch.across[k] > high_b else high_b
    out[SIZE], out[NHITS], out[INTEGRAL] = n, active, total
    out[CORRINTEGRAL] = SQUARE * squares + LINEAR * total + CONSTANT * n
    out[RMS] = sqrt(deviation / n)
    out[LENGTH], out[WIDTH] = high_a - low_a, high_b - low_b
    out[XMEAN] = out[YMEAN] = out[XMIN] = out[XMAX] = out[YMIN] = out[YMAX] = 0.0
    if total >= MIN_LIGHT:
        out[XMEAN], out[YMEAN] = wr / positive, wc / positive
        out[XMIN], out[XMAX], out[YMIN], out[YMAX] = low_r, high_r, low_c, high_c
    measure_spreads(scratch, light, n, low_a, low_b, high_a, high_b, out)
    profile = fill_profile(scratch, scratch.along, light, n, low_a, high_a, NEED_ALONG)
    out[LFULLRMS] = profile.spread
    find_peak(scratch, profile.bins, &out[LP0AMPLITUDE], &out[LP0PROMINENCE], &out[LP0MEAN], &out[LP0FWHM])
    fit_gaussian(scratch, profile, &out[LGAUSS])
    profile = fill_profile(scratch, scratch.across, light, n, low_b, high_b, NEED_ACROSS)
    out[TFULLRMS] = profile.spread
    find_peak(scratch, profile.bins, &dummy[0], &dummy[1], &dummy[2], &out[TP0FWHM])
    fit_gaussian(scratch, profile, &out[TGAUSS])


def measure(const uint16_t[:, :] frame, const float[:, ::1] mean, const float[:, ::1] rms, vignetting,
            const int64_t[:, ::1] cells, const int64_t[::1] offsets, int64_t rebin, double nsigma, int cimax,
            int64_t first, int64_t last):
    """Return variables (clusters, len(NAMES)), then row, column and light of all pixels, one cluster after the other.

    ``vignetting`` holds a factor for every block of pixels, or is None. ``cells`` are those of all clusters, each from one of ``offsets`` to the next; a frame's light counts as active only
    in the rows ``first <= row < last``. The interpreter's lock is released.
    """
    cdef int64_t clusters = offsets.shape[0] - 1, per_cell = rebin * rebin, k, i, largest = 0, active
    cdef int64_t n = cells.shape[0] * per_cell, longest = frame.shape[0] + frame.shape[1] + 8, r, c
    cdef const double[:, ::1] factor
    cdef bint has_factor = vignetting is not None, is_ready
    cdef double light, z
    cdef Scratch scratch
    cdef double[:, ::1] out
    cdef int32_t[::1] rows
    cdef int32_t[::1] cols
    cdef double[::1] lights
    measured = np.empty((clusters, COUNT))
    pixels = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n)
    if not clusters:
        return measured, *pixels
    if has_factor:
        factor = vignetting
    out, rows, cols, lights = measured, pixels[0], pixels[1], pixels[2]
    for k in range(clusters):
        largest = max(largest, offsets[k + 1] - offsets[k])
    is_ready = reserve(&scratch, largest * per_cell, longest)
    if is_ready:
        with nogil:
            for k in range(clusters):
                active = 0
                for i in range(offsets[k] * per_cell, offsets[k + 1] * per_cell):
                    r = cells[i // per_cell, 0] * rebin + i % per_cell // rebin
                    c = cells[i // per_cell, 1] * rebin + i % rebin
                    light = (frame[r, c] if frame[r, c] < cimax else 0) - <double>mean[r, c]
                    light = light if light == light else 0.0  # a pixel without a pedestal has no light
                    z = light * factor[r // BLOCK, c // BLOCK] if has_factor else light
                    rows[i], cols[i], lights[i] = <int32_t>r, <int32_t>c, z
                    active += z > 0 and light > <double>rms[r, c] * nsigma and first <= r < last
                i = offsets[k] * per_cell
                measure_one(&scratch, &cells[offsets[k], 0], offsets[k + 1] - offsets[k], rebin, &rows[i], &cols[i],
                            &lights[i], active, &out[k, 0])
    release(&scratch)
    if not is_ready:
        raise MemoryError
    return measured, *pixels
