# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled clustering; tests.oracles.camera.clustering says what it must compute, seed by seed."""

from libc.math cimport fabs, sqrt
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

import numpy as np

cdef extern from "_points.h" nogil:
    long count_on_line(const double *x, const double *y, long n, double a, double b, double distance)
    void mark_near(const double *x, const double *y, long n, double c0, double c1, double c2, double thickness,
                   double *weight)
    void add_points(const double *x, const double *y, const double *weight, long n, double *sums)
    double score_points(const double *x, const double *y, const double *weight, long n, double c0, double c1,
                        double c2)

cdef enum:
    NOISE = -1
    TRIALS = 100

cdef double SCREEN = 0.75
cdef double LEAST_THICKNESS = 0.1
cdef double SINGULAR = 1e-12
cdef int16_t FAR = 16384


cdef struct Polynomial:
    int order
    int64_t centre
    double c0
    double c1
    double c2


cdef struct Candidate:
    double accuracy
    int32_t size
    int32_t start


cdef class Scene:
    """The seeds of one event on a grid that is padded, so that no neighbour has to be looked for beyond its border."""

    cdef Py_ssize_t n, height, width, pad, stride, area
    cdef int reach, far_reach
    cdef double least_weight, min_accuracy, thickness, isolation

    cdef double min_samples
    cdef int max_attempts
    cdef uint64_t state
    cdef int32_t *row
    cdef int32_t *col
    cdef int32_t *place    # cell of a seed in the grids
    cdef int32_t *grid     # seeds that are free for what is being done, -1 elsewhere
    cdef int32_t *labels
    cdef int32_t *stack
    cdef int32_t *order
    cdef int32_t *bins
    cdef int16_t *distance
    cdef uint8_t *core
    cdef uint8_t *mine
    cdef double *x         # points of the cluster that is being fitted
    cdef double *y
    cdef double *weight
    cdef int32_t *t
    cdef int32_t *v
    cdef Candidate *found
    cdef int tracks, rest, candidates

    def __cinit__(self, Py_ssize_t n, Py_ssize_t height, Py_ssize_t width, Py_ssize_t pad):
        self.n, self.height, self.width, self.pad = n, height, width, pad
        self.stride = width + 2 * pad
        self.area = (height + 2 * pad) * self.stride
        self.row = <int32_t *>malloc(n * sizeof(int32_t))
        self.col = <int32_t *>malloc(n * sizeof(int32_t))
        self.place = <int32_t *>malloc(n * sizeof(int32_t))
        self.grid = <int32_t *>malloc(self.area * sizeof(int32_t))
        self.labels = <int32_t *>malloc(n * sizeof(int32_t))
        self.stack = <int32_t *>malloc(n * sizeof(int32_t))
        self.order = <int32_t *>malloc(n * sizeof(int32_t))
        self.bins = <int32_t *>malloc((4 * (height + width) + 8) * sizeof(int32_t))
        self.distance = <int16_t *>malloc(self.area * sizeof(int16_t))
        self.core = <uint8_t *>malloc(n)
        self.mine = <uint8_t *>malloc(n)
        self.x = <double *>malloc(n * sizeof(double))
        self.y = <double *>malloc(n * sizeof(double))
        self.weight = <double *>malloc(n * sizeof(double))
        self.t = <int32_t *>malloc(n * sizeof(int32_t))
        self.v = <int32_t *>malloc(n * sizeof(int32_t))
        self.found = <Candidate *>malloc(n * sizeof(Candidate))
        if not (self.row and self.col and self.place and self.grid and self.labels and self.stack and self.order
                and self.bins and self.distance and self.core and self.mine and self.weight and self.x and self.y
                and self.t and self.v and self.found):
            raise MemoryError

    def __dealloc__(self):
        free(self.row)
        free(self.col)
        free(self.place)
        free(self.grid)
        free(self.labels)
        free(self.stack)
        free(self.order)
        free(self.bins)
        free(self.distance)
        free(self.core)
        free(self.mine)
        free(self.x)
        free(self.y)
        free(self.weight)
        free(self.t)
        free(self.v)
        free(self.found)

    # --- neighbours

    cdef int find_core(self, const int64_t[::1] weights) noexcept nogil:
        """Mark the seeds around which there is enough weight: row-wise sums, two of them for each row of a diamond.

        Return 0 if memory ran out.
        """
        cdef int64_t *sums = <int64_t *>calloc(self.area, sizeof(int64_t))
        cdef Py_ssize_t r, c, base
        cdef int64_t total
        cdef int d, w
        cdef Py_ssize_t k
        if sums == NULL:
            return 0
        for k in range(self.n):
            sums[self.place[k]] = weights[k]
        for r in range(self.pad, self.pad + self.height):
            base = r * self.stride
            for c in range(1, self.stride):
                sums[base + c] += sums[base + c - 1]
        for k in range(self.n):
            total = 0
            for d in range(-self.reach, self.reach + 1):
                w = self.reach - (d if d > 0 else -d)
                base = self.place[k] + d * self.stride
                total += sums[base + w] - sums[base - w - 1]
            self.core[k] = <double>total >= self.least_weight
        free(sums)
        return 1

    cdef void clear_grid(self) noexcept nogil:
        memset(self.grid, 255, self.area * sizeof(int32_t))

    cdef int32_t take(self, Py_ssize_t centre, int reach, int32_t top) noexcept nogil:
        """Take the free seeds within a city-block distance off the grid and onto the stack; return its new height."""
        cdef int d, w
        cdef Py_ssize_t p, base
        for d in range(-reach, reach + 1):
            w = reach - (d if d > 0 else -d)
            base = centre + d * self.stride
            for p in range(base - w, base + w + 1):
                if self.grid[p] >= 0:
                    self.stack[top] = self.grid[p]
                    self.grid[p] = NOISE
                    top += 1
        return top

    cdef int32_t spread(self, int32_t start, int32_t label, bint by_all) noexcept nogil:
        """Give a label to the free seeds that are connected with ``start``; return how many they are."""
        cdef int32_t k, size = 0, top = 1
        self.stack[0] = start
        self.grid[self.place[start]] = NOISE
        while top:
            top -= 1
            k = self.stack[top]
            self.labels[k] = label
            size += 1
            if by_all or self.core[k]:
                top = self.take(self.place[k], self.reach, top)
        return size

    # --- linearity

    cdef inline uint64_t below(self, uint64_t limit) noexcept nogil:
        """SplitMix64: the next number below a limit of at most 32 bits."""
        cdef uint64_t z
        self.state += <uint64_t>0x9E3779B97F4A7C15
        z = self.state
        z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
        z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
        return (((z ^ (z >> 31)) >> 32) * limit) >> 32

    cdef double linearity(self, int32_t label, int32_t size) noexcept nogil:
        """Return which part of a cluster's seeds lies on the best line, as they are and turned by 45 degrees."""
        cdef double accuracy
        cdef Py_ssize_t k, i = 0
        for k in range(self.n):
            if self.labels[k] == label:
                self.t[i] = self.row[k]
                self.v[i] = self.col[k]
                i += 1
        accuracy = self.line_accuracy(size, 8, LEAST_THICKNESS)
        if accuracy < self.min_accuracy:
            for i in range(size):
                k = self.t[i]
                self.t[i] = <int32_t>k - self.v[i]
                self.v[i] = <int32_t>k + self.v[i]
            accuracy = self.line_accuracy(size, 5, LEAST_THICKNESS * sqrt(2.0))
        return accuracy

    cdef double line_accuracy(self, int32_t n, int tenths, double least) noexcept nogil:
        cdef int64_t sx = 0, sy = 0, sxx = 0, sxy = 0, tx, ty, txx, txy
        cdef int64_t x, y
        cdef int32_t i, k, other, left_out, held, best = 0
        cdef int trial
        cdef double thickness
        for i in range(n):
            x, y = self.t[i], self.v[i]
            self.x[i] = x
            self.y[i] = y
            sx += x
            sy += y
            sxx += x * x
            sxy += x * y
        thickness = self.spread_of(n)
        if thickness == 0:
            thickness = least
        held = self.held(n, n, sx, sy, sxx, sxy, thickness)
        if <double>held / n < SCREEN:
            return <double>held / n
        left_out = n - (tenths * n + 9) // 10
        for i in range(n):
            self.order[i] = i
        for trial in range(TRIALS):
            tx, ty, txx, txy = sx, sy, sxx, sxy
            for i in range(left_out):
                k = i + <int32_t>self.below(n - i)
                other = self.order[k]
                self.order[k] = self.order[i]
                self.order[i] = other
                x, y = self.t[other], self.v[other]
                tx -= x
                ty -= y
                txx -= x * x
                txy -= x * y
            held = self.held(n, n - left_out, tx, ty, txx, txy, thickness)
            if held > best:
                best = held
            if best == n:
                break
        return <double>best / n

    cdef int32_t held(self, int32_t n, int64_t drawn, int64_t sx, int64_t sy, int64_t sxx, int64_t sxy,
                      double thickness) noexcept nogil:
        """Return how many of the n points lie on the line through those that were drawn."""
        cdef int64_t spread = drawn * sxx - sx * sx
        cdef double a = 0.0, b
        if spread:
            a = <double>(drawn * sxy - sx * sy) / <double>spread
        b = (<double>sy - a * <double>sx) / <double>drawn
        return <int32_t>count_on_line(self.x, self.y, n, a, b, thickness)

    cdef double spread_of(self, int32_t n) noexcept nogil:
        """Return the median absolute deviation of the ordinates, by counting."""
        cdef int32_t i, low = self.v[0]
        cdef int64_t middle, k
        cdef int32_t size = 4 * <int32_t>(self.height + self.width) + 8
        for i in range(n):
            if self.v[i] < low:
                low = self.v[i]
        memset(self.bins, 0, size * sizeof(int32_t))
        for i in range(n):
            self.bins[self.v[i] - low] += 1
        middle = self.twice_median(n)
        memset(self.bins, 0, size * sizeof(int32_t))
        for i in range(n):
            k = 2 * (self.v[i] - low) - middle
            self.bins[k if k > 0 else -k] += 1
        return <double>self.twice_median(n) / 4.0

    cdef int64_t twice_median(self, int32_t n) noexcept nogil:
        """Return the sum of the two middle values of those that are counted."""
        cdef int32_t value = 0, seen = self.bins[0], first
        while seen <= (n - 1) // 2:
            value += 1
            seen += self.bins[value]
        first = value
        while seen <= n // 2:
            value += 1
            seen += self.bins[value]
        return first + value

    # --- tracks

    cdef void axes(self, int32_t label, bint *is_exchanged, int64_t *centre, int32_t *size) noexcept nogil:
        """Choose the abscissa of a cluster, and put its points, centred, where they are fitted."""
        cdef int64_t n = 0, sr = 0, sc = 0, srr = 0, scc = 0, r, c
        cdef Py_ssize_t k
        cdef int32_t i = 0
        for k in range(self.n):
            if self.labels[k] == label:
                r, c = self.row[k], self.col[k]
                n += 1
                sr += r
                sc += c
                srr += r * r
                scc += c * c
        is_exchanged[0] = n * scc - sc * sc > n * srr - sr * sr
        centre[0] = (sc if is_exchanged[0] else sr) // n
        size[0] = <int32_t>n
        for k in range(self.n):
            if self.labels[k] == label:
                r, c = self.row[k], self.col[k]
                self.t[i] = <int32_t>((c if is_exchanged[0] else r) - centre[0])
                self.v[i] = <int32_t>(r if is_exchanged[0] else c)
                self.x[i] = self.t[i]
                self.y[i] = self.v[i]
                i += 1

    cdef int solve(self, Polynomial *fit, const double *sums) noexcept nogil:
        """Set the coefficients from sums over the points; return 0 if the points do not determine them."""
        cdef double n = sums[0], t1 = sums[1], t2 = sums[2], t3 = sums[3], t4 = sums[4]
        cdef double y0 = sums[5], y1 = sums[6], y2 = sums[7]
        cdef double a, b, c, d, e, f, whole, spread
        if fit.order == 1:
            spread = n * t2 - t1 * t1
            if spread <= 0.0:
                return 0
            fit.c1 = (n * y1 - t1 * y0) / spread
            fit.c0 = (y0 - fit.c1 * t1) / n
            fit.c2 = 0.0
            return 1
        a = t2 * t4 - t3 * t3
        b = t1 * t4 - t2 * t3
        c = t1 * t3 - t2 * t2
        d = n * t4 - t2 * t2
        e = n * t3 - t1 * t2
        f = n * t2 - t1 * t1
        whole = n * a - t1 * b + t2 * c
        if whole <= SINGULAR * (n * t2 * t4):
            return 0
        fit.c0 = (y0 * a - y1 * b + y2 * c) / whole
        fit.c1 = (y1 * d - y0 * b - y2 * e) / whole
        fit.c2 = (y0 * c - y1 * e + y2 * f) / whole
        return 1

    cdef int fit_track(self, Polynomial *best, int32_t n) noexcept nogil:
        """Find the polynomial of ``best.order`` that the most of the n points agree on; return 0 if too few do."""
        cdef double sums[8]
        cdef Polynomial trial, refit
        cdef int attempt, is_found = 0
        cdef double score, least = 0.0
        trial.order = refit.order = best.order
        trial.centre = refit.centre = best.centre
        for attempt in range(TRIALS):
            self.draw(n, best.order == 2, sums)
            if not self.solve(&trial, sums):
                continue
            mark_near(self.x, self.y, n, trial.c0, trial.c1, trial.c2, self.thickness, self.weight)
            add_points(self.x, self.y, self.weight, n, sums)
            if 5 * sums[0] <= 4 * <double>n or not self.solve(&refit, sums):
                continue
            score = score_points(self.x, self.y, self.weight, n, refit.c0, refit.c1, refit.c2)
            if not is_found or score < least:
                is_found, least = 1, score
                best[0] = refit
        return is_found

    cdef void draw(self, int32_t n, bint is_curved, double *sums) noexcept nogil:
        """Set the sums over seven tenths of the points, each drawn anew."""
        cdef int64_t s1 = 0, s2 = 0, s3 = 0, s4 = 0, r0 = 0, r1 = 0, r2 = 0, t, v, square, k
        cdef int64_t drawn = 7 * <int64_t>n // 10
        cdef int32_t i
        for k in range(drawn):
            i = <int32_t>self.below(n)
            t, v = self.t[i], self.v[i]
            square = t * t
            s1 += t
            s2 += square
            r0 += v
            r1 += v * t
            if is_curved:
                s3 += square * t
                s4 += square * square
                r2 += v * square
        sums[0], sums[1], sums[2], sums[3], sums[4] = <double>drawn, <double>s1, <double>s2, <double>s3, <double>s4
        sums[5], sums[6], sums[7] = <double>r0, <double>r1, <double>r2

    cdef int build_track(self, int32_t start, int32_t label) noexcept nogil:
        """Build the track that begins at a seed; return 1 if its label is used up, 0 if it was given back."""
        cdef Polynomial fit
        cdef bint is_exchanged
        cdef int32_t size
        cdef Py_ssize_t k
        self.clear_grid()
        for k in range(self.n):
            if self.labels[k] == NOISE:
                self.grid[self.place[k]] = <int32_t>k
        size = self.spread(start, label, True)
        if size <= self.min_samples:
            return 1
        self.axes(label, &is_exchanged, &fit.centre, &size)
        fit.order = 1
        if not self.fit_track(&fit, size):
            fit.order = 2
            if not self.fit_track(&fit, size):
                for k in range(self.n):
                    if self.labels[k] == label:
                        self.labels[k] = NOISE
                return 0
        self.grow(label, &fit, is_exchanged)
        return 1

    cdef void grow(self, int32_t label, Polynomial *fit, bint is_exchanged) noexcept nogil:
        """Add what lies along the track, in rounds; seeds of earlier tracks may be taken over."""
        cdef int rounds = 0
        cdef int32_t now, last = 0
        cdef bint is_fitted
        while self.join(label, fit, is_exchanged):
            self.axes(label, &is_exchanged, &fit.centre, &now)
            is_fitted = self.fit_track(fit, now)
            rounds += 1
            if rounds > self.max_attempts:
                return
            if now == last or not is_fitted:
                if fit.order == 2:
                    return
                fit.order = 2
                if not self.fit_track(fit, now):
                    return
            last = now

    cdef bint join(self, int32_t label, const Polynomial *fit, bint is_exchanged) noexcept nogil:
        """Let the seeds around a cluster that lie along its track join it; return whether there were any around it."""
        cdef Py_ssize_t k
        cdef int32_t i, top = 0, height
        cdef bint is_anything = False
        self.measure_distances(label)
        self.clear_grid()
        for k in range(self.n):
            self.x[k] = (self.col[k] if is_exchanged else self.row[k]) - fit.centre
            self.y[k] = self.row[k] if is_exchanged else self.col[k]
        mark_near(self.x, self.y, self.n, fit.c0, fit.c1, fit.c2, self.thickness, self.weight)
        for k in range(self.n):
            if self.labels[k] == label:
                continue
            if self.distance[self.place[k]] <= self.far_reach:
                is_anything = True
                if self.weight[k]:
                    self.stack[top] = <int32_t>k
                    top += 1
            elif self.weight[k]:
                self.grid[self.place[k]] = <int32_t>k
        while top:
            top -= 1
            i = self.stack[top]
            self.labels[i] = label
            top = self.take(self.place[i], self.far_reach, top)
        return is_anything

    cdef void measure_distances(self, int32_t label) noexcept nogil:
        """Set every cell's city-block distance to the nearest seed of a cluster: two sweeps are exact."""
        cdef Py_ssize_t p, k
        cdef int16_t d
        for p in range(self.area):
            self.distance[p] = FAR
        for k in range(self.n):
            if self.labels[k] == label:
                self.distance[self.place[k]] = 0
        for p in range(self.stride + 1, self.area):
            d = self.distance[p - self.stride] if self.distance[p - self.stride] < self.distance[p - 1] else \
                self.distance[p - 1]
            if d + 1 < self.distance[p]:
                self.distance[p] = d + 1
        for p in range(self.area - self.stride - 2, -1, -1):
            d = self.distance[p + self.stride] if self.distance[p + self.stride] < self.distance[p + 1] else \
                self.distance[p + 1]
            if d + 1 < self.distance[p]:
                self.distance[p] = d + 1

    # --- the whole

    cdef void find_candidates(self, int32_t clusters, const int32_t *sizes) noexcept nogil:
        """List the clusters that look like tracks, in the order in which they are built."""
        cdef int32_t label, start
        cdef double accuracy
        cdef int perfect = 0
        cdef Py_ssize_t i, k
        cdef Candidate candidate
        self.candidates = 0
        for label in range(clusters):
            if sizes[label] <= self.min_samples:
                continue
            accuracy = self.linearity(label, sizes[label])
            if accuracy <= self.min_accuracy:
                continue
            start = 0
            while self.labels[start] != label or not self.core[start]:
                start += 1
            self.found[self.candidates].accuracy = accuracy
            self.found[self.candidates].size = sizes[label]
            self.found[self.candidates].start = start
            self.candidates += 1
            perfect += accuracy == 1.0
        for i in range(1, self.candidates):  # few, and stable
            candidate = self.found[i]
            k = i
            while k and self.is_before(&candidate, &self.found[k - 1], perfect > 1):
                self.found[k] = self.found[k - 1]
                k -= 1
            self.found[k] = candidate

    cdef bint is_before(self, const Candidate *one, const Candidate *other, bint by_size) noexcept nogil:
        if one.accuracy != other.accuracy:
            return one.accuracy > other.accuracy
        return by_size and one.accuracy == 1.0 and one.size > other.size

    cdef int run(self, const int64_t[::1] weights) noexcept nogil:
        """Cluster; return 0 if memory ran out."""
        cdef Py_ssize_t k, i
        cdef int32_t clusters, smallest = 0
        cdef int32_t *sizes
        if not self.find_core(weights):
            return 0
        sizes = <int32_t *>malloc((self.n + 1) * sizeof(int32_t))
        if sizes == NULL:
            return 0
        self.clear_grid()
        for k in range(self.n):
            self.labels[k] = NOISE
            self.grid[self.place[k]] = <int32_t>k
        clusters = self.group(0, 1, sizes)
        for k in range(clusters):
            smallest = sizes[k] if k == 0 or sizes[k] < smallest else smallest
        self.find_candidates(clusters, sizes)
        self.tracks, self.rest = 0, clusters
        if self.candidates:
            for k in range(self.n):
                self.labels[k] = NOISE
            for i in range(self.candidates):
                if self.labels[self.found[i].start] == NOISE:
                    self.tracks += self.build_track(self.found[i].start, self.tracks)
            self.drop_small_tracks(sizes)
            self.free_the_rest()
            self.rest = self.group(self.tracks, smallest, sizes)
        free(sizes)
        return 1

    cdef void drop_small_tracks(self, int32_t *sizes) noexcept nogil:
        """Take the label from tracks of which others left too little."""
        cdef Py_ssize_t k
        for k in range(self.tracks):
            sizes[k] = 0
        for k in range(self.n):
            if self.labels[k] >= 0:
                sizes[self.labels[k]] += 1
        for k in range(self.n):
            if self.labels[k] >= 0 and sizes[self.labels[k]] < self.min_samples:
                self.labels[k] = NOISE

    cdef void free_the_rest(self) noexcept nogil:
        """Set those seeds free that have no label and are far enough from all that have one."""
        cdef Py_ssize_t k
        self.clear_grid()
        for k in range(self.n):
            if self.labels[k] >= 0:
                self.grid[self.place[k]] = 0
        for k in range(self.n):
            self.mine[k] = self.labels[k] == NOISE and not self.is_near_label(k)
        self.clear_grid()
        for k in range(self.n):
            if self.mine[k]:
                self.grid[self.place[k]] = <int32_t>k

    cdef int32_t group(self, int32_t first, int32_t smallest, int32_t *sizes) noexcept nogil:
        """Group the free seeds by density, with labels from ``first`` on; return how many clusters are large enough."""
        cdef Py_ssize_t k, i
        cdef int32_t size, kept = 0
        for k in range(self.n):
            if self.core[k] and self.grid[self.place[k]] == k:
                size = self.spread(<int32_t>k, first + kept, False)
                if size >= smallest:
                    sizes[kept] = size
                    kept += 1
                    continue
                for i in range(self.n):
                    if self.labels[i] == first + kept:
                        self.labels[i] = NOISE
        return kept

    cdef bint is_near_label(self, Py_ssize_t k) noexcept nogil:
        """Say whether a seed is nearer than the isolation radius to one that the grid holds."""
        cdef int d, e, reach = <int>self.isolation
        cdef Py_ssize_t centre = self.place[k]
        for d in range(-reach, reach + 1):
            for e in range(-reach, reach + 1):
                if d * d + e * e < self.isolation * self.isolation and self.grid[centre + d * self.stride + e] >= 0:
                    return True
        return False


def cluster(const int64_t[:, ::1] cells, const int64_t[::1] weights, shape, parameters, uint64_t seed):
    """Return a label per seed, -1 for noise, and how many clusters are directional; those have the first labels.

    ``shape`` is that of the coarse image. The interpreter's lock is released.
    """
    cdef Py_ssize_t k, n = cells.shape[0], pad
    cdef int64_t[::1] labels
    cdef int is_done
    cdef Scene scene
    result = np.empty(n, dtype=np.int64)
    if not n:
        return result, 0
    pad = int(max(parameters.dbscan_eps, parameters.dir_radius, parameters.isolation_radius)) + 1
    scene = Scene(n, shape[0], shape[1], pad)
    scene.reach, scene.far_reach = int(parameters.dbscan_eps), int(parameters.dir_radius)
    scene.least_weight, scene.min_accuracy = parameters.dbscan_minsamples, parameters.dir_min_accuracy
    scene.min_samples, scene.thickness = parameters.dir_minsamples, parameters.dir_thickness
    scene.isolation, scene.max_attempts, scene.state = parameters.isolation_radius, parameters.max_attempts, seed
    labels = result
    with nogil:
        for k in range(n):
            scene.row[k] = <int32_t>cells[k, 0]
            scene.col[k] = <int32_t>cells[k, 1]
            scene.place[k] = <int32_t>((cells[k, 0] + pad) * scene.stride + cells[k, 1] + pad)
        is_done = scene.run(weights)
        for k in range(n):
            labels[k] = scene.labels[k]
    if not is_done:
        raise MemoryError
    return result, scene.tracks
