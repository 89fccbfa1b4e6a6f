#include "gpu/graph/dtype.h"

#include <cmath>
#include <limits>

#include "gpu/base/error.h"
#include "gpu/graph/shape.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

// The nearest of all 65536 encodings, ties to the even one, found without any bit tricks.
std::uint16_t nearest_f16(float value) {
    // Positive finite halves are ordered as their encodings are.
    const double magnitude = std::fabs(static_cast<double>(value));
    int low = 0, high = 0x7c00;
    const auto decode = [](int code) { return code == 0x7c00 ? 65536.0 : double(f16_to_float(std::uint16_t(code))); };
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        (decode(middle) <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - decode(low), above = decode(high) - magnitude;
    const int code = below < above ? low : above < below ? high : (low & 1) ? high : low;
    return std::uint16_t(code | (std::signbit(value) ? 0x8000 : 0));
}

}  // namespace

class DtypeTest : public QObject {
    Q_OBJECT
private slots:
    void names_parse_back() {
        for (int row = 0; row <= int(Dtype::Bool); ++row) {
            const auto dtype = static_cast<Dtype>(row);
            QVERIFY(parse_dtype(name_of(dtype)) == dtype);
        }
        QVERIFY(!parse_dtype("f32") && !parse_dtype("") && !parse_dtype("F8_E4M3"));
        QCOMPARE(size_of(Dtype::F64), 8u);
        QCOMPARE(size_of(Dtype::BF16), 2u);
        QCOMPARE(size_of(Dtype::Bool), 1u);
    }

    void every_f16_survives_a_round_trip() {
        for (int code = 0; code < 0x10000; ++code) {
            const float value = f16_to_float(std::uint16_t(code));
            if (std::isnan(value)) {
                QVERIFY(std::isnan(f16_to_float(float_to_f16(value))));
            } else {
                QCOMPARE(int(float_to_f16(value)), code);
            }
        }
    }

    void every_bf16_survives_a_round_trip() {
        for (int code = 0; code < 0x10000; ++code) {
            const float value = bf16_to_float(std::uint16_t(code));
            if (std::isnan(value)) {
                QVERIFY(std::isnan(bf16_to_float(float_to_bf16(value))));
            } else {
                QCOMPARE(int(float_to_bf16(value)), code);
            }
        }
    }

    void f16_rounds_to_nearest_even() {
        // A stride through all float encodings, and the neighbourhood of every midpoint between two halves.
        for (std::uint64_t bits = 0; bits < 0x100000000u; bits += 7919) {
            const float value = std::bit_cast<float>(std::uint32_t(bits));
            if (std::isnan(value) || std::fabs(value) >= 65536.0f) continue;
            QCOMPARE(float_to_f16(value), nearest_f16(value));
        }
        for (int code = 0; code < 0x7bff; ++code) {
            const float middle = (f16_to_float(std::uint16_t(code)) + f16_to_float(std::uint16_t(code + 1))) / 2;
            for (const float value : {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, 1e9f)})
                QCOMPARE(float_to_f16(value), nearest_f16(value));
        }
    }

    void f16_known_values() {
        QCOMPARE(int(float_to_f16(1.0f)), 0x3c00);
        QCOMPARE(int(float_to_f16(-0.0f)), 0x8000);
        QCOMPARE(int(float_to_f16(65504.0f)), 0x7bff);
        QCOMPARE(int(float_to_f16(65519.996f)), 0x7bff);
        QCOMPARE(int(float_to_f16(65520.0f)), 0x7c00);
        QCOMPARE(int(float_to_f16(0x1p-24f)), 1);
        QCOMPARE(int(float_to_f16(0x1p-25f)), 0);  // a tie goes to even
        QCOMPARE(int(float_to_f16(0x1.000002p-25f)), 1);
        QCOMPARE(int(float_to_f16(-std::numeric_limits<float>::infinity())), 0xfc00);
        QVERIFY(std::isnan(f16_to_float(float_to_f16(std::bit_cast<float>(0x7f800001u)))));
    }

    void bf16_known_values() {
        QCOMPARE(int(float_to_bf16(1.0f)), 0x3f80);
        QCOMPARE(int(float_to_bf16(std::bit_cast<float>(0x3f808000u))), 0x3f80);  // tie to even, down
        QCOMPARE(int(float_to_bf16(std::bit_cast<float>(0x3f818000u))), 0x3f82);  // tie to even, up
        QCOMPARE(int(float_to_bf16(std::numeric_limits<float>::max())), 0x7f80);
        QVERIFY(std::isnan(bf16_to_float(float_to_bf16(std::bit_cast<float>(0x7f800001u)))));
        QVERIFY(std::isnan(bf16_to_float(float_to_bf16(std::bit_cast<float>(0xffffffffu)))));
    }

    void shapes_count_and_print() {
        QCOMPARE(element_count({}), 1);
        QCOMPARE(element_count({1, 3, 256, 256}), 196608);
        QCOMPARE(element_count({4, 0, 5}), 0);
        QCOMPARE(to_string(Shape{1, 3, 256, 256}), std::string("[1, 3, 256, 256]"));
        QCOMPARE(to_string(Shape{}), std::string("[]"));
        const std::int64_t big = std::int64_t(1) << 32;
        for (const Shape& shape : {Shape{2, -1}, Shape{big, big}, Shape{big, big, 0}, Shape{0, big, big}})
            QVERIFY_THROWS_EXCEPTION(Error, element_count(shape));
    }
};

HEDDLE_TEST(dtype, DtypeTest)
#include "dtype.moc"
