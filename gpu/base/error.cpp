#include "gpu/base/error.h"

namespace gpu {

const char* to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::Failure: return "failure";
        case ErrorCode::Usage: return "usage";
        case ErrorCode::InvalidGraph: return "invalid-graph";
        case ErrorCode::MissingFile: return "missing-file";
        case ErrorCode::BadFile: return "bad-file";
        case ErrorCode::NoDevice: return "no-device";
        case ErrorCode::OutOfMemory: return "out-of-memory";
        case ErrorCode::DeviceLost: return "device-lost";
        case ErrorCode::Numeric: return "numeric";
        case ErrorCode::Io: return "io";
        case ErrorCode::Cancelled: return "cancelled";
    }
    return "failure";
}

int exit_code(ErrorCode code) {
    switch (code) {
        case ErrorCode::Failure: return 1;
        case ErrorCode::Usage: return 2;
        case ErrorCode::InvalidGraph: return 3;
        case ErrorCode::MissingFile: return 4;
        case ErrorCode::BadFile: return 4;
        case ErrorCode::NoDevice: return 5;
        case ErrorCode::OutOfMemory: return 6;
        case ErrorCode::DeviceLost: return 7;
        case ErrorCode::Numeric: return 8;
        case ErrorCode::Io: return 9;
        case ErrorCode::Cancelled: return 130;
    }
    return 1;
}

void Error::rebuild() {
    text_ = message_;
    for (const std::string& place : context_) text_ += "\n  in " + place;
}

}  // namespace gpu
