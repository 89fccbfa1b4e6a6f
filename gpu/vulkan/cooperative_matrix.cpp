// Rewrites SPV_NV_cooperative_matrix as SPV_KHR_cooperative_matrix: type, load, store, product, length, capability, extension.
#include "gpu/vulkan/cooperative_matrix.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <string>

#include "gpu/base/error.h"

namespace gpu {
namespace {

// Numbers of the SPIR-V specification and of the two extensions.
enum Opcode : std::uint32_t {
    OpExtension = 10,
    OpCapability = 17,
    OpTypeInt = 21,
    OpConstantTrue = 41,
    OpConstantFalse = 42,
    OpConstant = 43,
    OpTypeCooperativeMatrixKHR = 4456,
    OpCooperativeMatrixLoadKHR = 4457,
    OpCooperativeMatrixStoreKHR = 4458,
    OpCooperativeMatrixMulAddKHR = 4459,
    OpCooperativeMatrixLengthKHR = 4460,
    OpTypeCooperativeMatrixNV = 5358,
    OpCooperativeMatrixLoadNV = 5359,
    OpCooperativeMatrixStoreNV = 5360,
    OpCooperativeMatrixMulAddNV = 5361,
    OpCooperativeMatrixLengthNV = 5362,
};
constexpr std::uint32_t capability_nv = 5357, capability_khr = 6022;
constexpr char extension_nv[] = "SPV_NV_cooperative_matrix", extension_khr[] = "SPV_KHR_cooperative_matrix";
constexpr std::size_t header_words = 5;
constexpr std::size_t bound_word = 3;   // of the header: one more than the largest id
enum Use : std::uint32_t { UseA = 0, UseB = 1, UseAccumulator = 2 };   // layouts: row-major 0, column-major 1

using Words = std::vector<std::uint32_t>;
using Instruction = std::span<const std::uint32_t>;

std::uint32_t opcode(Instruction instruction) { return instruction[0] & 0xffff; }

class Translation {
public:
    explicit Translation(Words words) : in_(std::move(words)) {}

    Words run() {
        split();
        if (std::none_of(instructions_.begin(), instructions_.end(), [](Instruction i) { return is(i, OpCapability, capability_nv); }))
            return std::move(in_);
        find_types();
        find_uses();
        out_.assign(in_.begin(), in_.begin() + header_words);
        for (const Instruction instruction : instructions_) write(instruction);
        out_[bound_word] = next_id_;
        return std::move(out_);
    }

private:
    static bool is(Instruction i, std::uint32_t code, std::uint32_t operand) {
        return opcode(i) == code && i.size() > 1 && i[1] == operand;
    }

    void split() {
        check(in_.size() >= header_words, ErrorCode::Failure, "cooperative matrices: expected a SPIR-V module, got {} words", in_.size());
        next_id_ = in_[bound_word];
        for (std::size_t at = header_words; at < in_.size();) {
            const std::size_t count = in_[at] >> 16;
            check(count > 0 && at + count <= in_.size(), ErrorCode::Failure, "cooperative matrices: word {} begins no instruction", at);
            instructions_.push_back(std::span(in_).subspan(at, count));
            at += count;
        }
    }

    // Result id -> type id of every value, as far as matrices need it; the matrix types; the constants of bool type.
    void find_types() {
        for (const Instruction i : instructions_) {
            switch (opcode(i)) {
                case OpTypeCooperativeMatrixNV: uses_.emplace(i[1], UseAccumulator); break;
                case OpTypeInt:
                    if (i[2] == 32 && i[3] == 0) uint_type_ = i[1];
                    break;
                case OpConstantTrue: case OpConstantFalse: column_major_[i[2]] = opcode(i) == OpConstantTrue; break;
                default: break;
            }
            // Every instruction with a result of a matrix type has the type first and the result second.
            if (i.size() > 2 && uses_.contains(i[1]) && opcode(i) != OpTypeCooperativeMatrixNV) type_of_[i[2]] = i[1];
        }
        check(uint_type_ != 0, ErrorCode::Failure, "cooperative matrices: expected a 32-bit uint type in the module, got none");
    }

    void find_uses() {
        std::map<std::uint32_t, Use> seen;
        const auto note = [&](std::uint32_t value, Use use) {
            const auto type = type_of_.find(value);
            check(type != type_of_.end(), ErrorCode::Failure, "cooperative matrices: product of %{}, which is no matrix", value);
            const auto [at, fresh] = seen.emplace(type->second, use);
            check(at->second == use, ErrorCode::Failure, "cooperative matrices: type %{} serves as {} and as {}", type->second,
                  static_cast<int>(at->second), static_cast<int>(use));
        };
        for (const Instruction i : instructions_) {
            if (opcode(i) != OpCooperativeMatrixMulAddNV) continue;
            note(i[2], UseAccumulator);
            note(i[3], UseA);
            note(i[4], UseB);
            note(i[5], UseAccumulator);
        }
        for (const auto& [type, use] : seen) uses_[type] = use;
    }

    std::uint32_t constant(std::uint32_t value) {
        std::uint32_t& id = constants_[value];
        if (id == 0) id = next_id_++;
        return id;
    }
    void append(std::uint32_t code, std::initializer_list<std::uint32_t> operands, Instruction rest = {}) {
        out_.push_back(static_cast<std::uint32_t>((1 + operands.size() + rest.size()) << 16) | code);
        out_.insert(out_.end(), operands);
        out_.insert(out_.end(), rest.begin(), rest.end());
    }
    std::uint32_t layout(std::uint32_t column_major) {
        const auto known = column_major_.find(column_major);
        check(known != column_major_.end(), ErrorCode::Failure, "cooperative matrices: expected a constant layout, got %{}", column_major);
        return constant(known->second ? 1 : 0);
    }

    void write(Instruction i) {
        switch (opcode(i)) {
            case OpCapability: return append(OpCapability, {i[1] == capability_nv ? capability_khr : i[1]});
            case OpExtension: return write_extension(i);
            case OpTypeCooperativeMatrixNV:
                write_constants();
                return append(OpTypeCooperativeMatrixKHR, {i[1], i[2], i[3], i[4], i[5], constant(uses_.at(i[1]))});
            case OpCooperativeMatrixLoadNV:   // type, result, pointer, stride, column-major, [memory operands]
                return append(OpCooperativeMatrixLoadKHR, {i[1], i[2], i[3], layout(i[5]), i[4]}, i.subspan(6));
            case OpCooperativeMatrixStoreNV:   // pointer, object, stride, column-major, [memory operands]
                return append(OpCooperativeMatrixStoreKHR, {i[1], i[2], layout(i[4]), i[3]}, i.subspan(5));
            case OpCooperativeMatrixMulAddNV: return append(OpCooperativeMatrixMulAddKHR, {i[1], i[2], i[3], i[4], i[5]});
            case OpCooperativeMatrixLengthNV: return append(OpCooperativeMatrixLengthKHR, {i[1], i[2], i[3]});
            case OpTypeInt:
                if (i[1] == uint_type_ && uint_written_) return;   // moved up
                uint_written_ = uint_written_ || i[1] == uint_type_;
                break;
            default: break;
        }
        out_.insert(out_.end(), i.begin(), i.end());
    }

    // A type's use and a load's layout are constants. The type of unsigned words may stand after the first matrix type: it
    // moves up then.
    void write_constants() {
        if (constants_written_) return;
        if (!uint_written_) append(OpTypeInt, {uint_type_, 32, 0});
        for (const std::uint32_t value : {0u, 1u, 2u}) append(OpConstant, {uint_type_, constant(value), value});
        uint_written_ = constants_written_ = true;
    }

    void write_extension(Instruction i) {
        const Instruction text = i.subspan(1);
        if (std::memcmp(text.data(), extension_nv, std::min(sizeof extension_nv, text.size_bytes())) != 0) {
            out_.insert(out_.end(), i.begin(), i.end());
            return;
        }
        Words words(sizeof extension_khr / 4 + 1, 0);
        std::memcpy(words.data(), extension_khr, sizeof extension_khr);
        append(OpExtension, {}, words);
    }

    Words in_, out_;
    std::vector<Instruction> instructions_;
    std::map<std::uint32_t, Use> uses_;                  // matrix type -> use
    std::map<std::uint32_t, std::uint32_t> type_of_;     // value -> matrix type
    std::map<std::uint32_t, bool> column_major_;         // bool constant -> value
    std::map<std::uint32_t, std::uint32_t> constants_;   // value -> id
    std::uint32_t uint_type_ = 0, next_id_ = 0;
    bool uint_written_ = false, constants_written_ = false;
};

}  // namespace

std::vector<std::uint32_t> to_khr_cooperative_matrix(std::vector<std::uint32_t> words) {
    return Translation(std::move(words)).run();
}

}  // namespace gpu
