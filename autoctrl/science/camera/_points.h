/* The loops over the points of a cluster that are fitted. Coordinates are whole numbers, so that sums are exact and do
   not depend on the order in which they are added. */
#include <math.h>
#include <stdint.h>

#include "_machine.h"

#define LANES 4

/* How many points lie within a distance of the line y = a x + b, measured along y. */
FOR_EACH_MACHINE
static long count_on_line(const double *x, const double *y, long n, double a, double b, double distance) {
    int64_t lanes[LANES] = {0};
    long i = 0, count = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) lanes[k] += fabs(y[i + k] - a * x[i + k] - b) <= distance;
    for (; i < n; i++) count += fabs(y[i] - a * x[i] - b) <= distance;
    for (int k = 0; k < LANES; k++) count += lanes[k];
    return count;
}

/* Weight 1 for the points nearer than a thickness to c0 + c1 x + c2 x^2, measured across it, 0 for the others. */
FOR_EACH_MACHINE
static void mark_near(const double *x, const double *y, long n, double c0, double c1, double c2, double thickness,
                      double *weight) {
    if (c2 == 0.0) {
        double limit = thickness * sqrt(1.0 + c1 * c1);
        for (long i = 0; i < n; i++) weight[i] = fabs(c0 + x[i] * c1 - y[i]) < limit ? 1.0 : 0.0;
        return;
    }
    for (long i = 0; i < n; i++) {
        double slope = c1 + x[i] * (2.0 * c2);
        weight[i] = fabs(c0 + x[i] * (c1 + x[i] * c2) - y[i]) < thickness * sqrt(1.0 + slope * slope) ? 1.0 : 0.0;
    }
}

/* Sums of 1, x, x^2, x^3, x^4, y, x y, x^2 y over the points of weight 1. */
FOR_EACH_MACHINE
static void add_points(const double *x, const double *y, const double *weight, long n, double *sums) {
    double lanes[8][LANES] = {{0}};
    long i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            double w = weight[i + k], t = w * x[i + k], v = w * y[i + k], square = t * t;
            lanes[0][k] += w;
            lanes[1][k] += t;
            lanes[2][k] += square;
            lanes[3][k] += square * t;
            lanes[4][k] += square * square;
            lanes[5][k] += v;
            lanes[6][k] += v * t;
            lanes[7][k] += v * square;
        }
    for (int s = 0; s < 8; s++) {
        sums[s] = 0.0;
        for (int k = 0; k < LANES; k++) sums[s] += lanes[s][k];
    }
    for (; i < n; i++) {
        double t = weight[i] * x[i], v = weight[i] * y[i], square = t * t;
        sums[0] += weight[i];
        sums[1] += t;
        sums[2] += square;
        sums[3] += square * t;
        sums[4] += square * square;
        sums[5] += v;
        sums[6] += v * t;
        sums[7] += v * square;
    }
}

/* Sum of the distances along y of the points of weight 1, added one after the other. */
static double score_points(const double *x, const double *y, const double *weight, long n, double c0, double c1,
                           double c2) {
    double score = 0.0;
    for (long i = 0; i < n; i++) score += weight[i] * fabs(c0 + x[i] * (c1 + x[i] * c2) - y[i]);
    return score;
}
