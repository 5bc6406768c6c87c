// The loops over edges of physics/edge_loops.py as a C++ compiler makes them: shifted_relu, float32, pairs of nodes
// with one edge each way, eight lanes a vector. Only the benchmark builds it, to say what a native kernel would gain.
#include <cstddef>
#include <cstdint>

typedef float Lanes __attribute__((vector_size(32), aligned(4)));
typedef int32_t Mask __attribute__((vector_size(32)));
static const int LANES = 8, AHEAD = 4, FIELDS = 6;

static inline Lanes load(const float *at) { return *(const Lanes *)at; }
static inline void store(float *at, Lanes value) { *(Lanes *)at = value; }
static inline Lanes spread(float x) { return Lanes{x, x, x, x, x, x, x, x}; }
static inline Lanes larger(Lanes x) { return x > 0.0f ? x : Lanes{}; }
static inline Lanes smaller(Lanes x) { return x < 0.0f ? x : Lanes{}; }
static inline Lanes where(Mask on, Lanes x) { return (Lanes)(on & (Mask)x); }

extern "C" void forward(const float *y, float *amperes, const int32_t *rows, ptrdiff_t runs, const int32_t *other,
                        const float *table, ptrdiff_t width) {
    for (ptrdiff_t r = 0; r < runs; r++) {
        const int32_t *row = rows + r * FIELDS;
        for (ptrdiff_t k = 0; k < width; k += AHEAD * LANES) {
            const float *parameters = table + 2 * (ptrdiff_t)row[3];
            ptrdiff_t a = row[0] * width + k;
            Lanes v_a[AHEAD], into_a[AHEAD];
            for (int n = 0; n < AHEAD; n++) v_a[n] = load(y + a + n * LANES), into_a[n] = load(amperes + a + n * LANES);
            for (int32_t pair = row[1]; pair < row[2]; pair++, parameters += 4) {
                ptrdiff_t b = other[pair] * width + k;
                Lanes gain = spread(parameters[0]), threshold = spread(parameters[1]);
                Lanes gain2 = spread(parameters[2]), threshold2 = spread(parameters[3]);
                for (int n = 0; n < AHEAD; n++) {
                    Lanes d = v_a[n] - load(y + b + n * LANES);
                    Lanes i = gain * larger(d - threshold) + gain2 * smaller(d + threshold2);
                    into_a[n] -= i;
                    store(amperes + b + n * LANES, load(amperes + b + n * LANES) + i);
                }
            }
            for (int n = 0; n < AHEAD; n++) store(amperes + a + n * LANES, into_a[n]);
        }
    }
}

extern "C" void backward(const float *y, const float *q, float *w, const int32_t *rows, ptrdiff_t runs,
                         const int32_t *other, const float *table, float *gradient, ptrdiff_t width) {
    for (ptrdiff_t r = 0; r < runs; r++) {
        const int32_t *row = rows + r * FIELDS;
        ptrdiff_t a = row[0] * width, edge = 2 * (ptrdiff_t)row[3];
        for (int32_t pair = row[1]; pair < row[2]; pair++, edge += 4) {
            ptrdiff_t b = other[pair] * width;
            Lanes gain = spread(table[edge]), threshold = spread(table[edge + 1]);
            Lanes gain2 = spread(table[edge + 2]), threshold2 = spread(table[edge + 3]);
            Lanes sums[4] = {};
#pragma GCC unroll 8
            for (ptrdiff_t k = 0; k < width; k += LANES) {
                Lanes d = load(y + a + k) - load(y + b + k), weight = load(q + b + k) - load(q + a + k);
                Lanes x = d - threshold, x2 = d + threshold2;
                Lanes on = where(x > 0.0f, weight), on2 = where(x2 < 0.0f, weight);
                Lanes slope = gain * on, slope2 = gain2 * on2;
                sums[0] += x * on, sums[1] -= slope, sums[2] += x2 * on2, sums[3] += slope2;
                store(w + a + k, load(w + a + k) + (slope + slope2));
                store(w + b + k, load(w + b + k) - (slope + slope2));
            }
            for (int n = 0; n < 4; n++) {
                float sum = 0;
                for (int lane = 0; lane < LANES; lane++) sum += sums[n][lane];
                gradient[edge + n] += sum;
            }
        }
    }
}
