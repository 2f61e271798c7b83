//===- OnnxProto.h - ONNX's protobuf classes ------------------------------===//
#ifndef LIB_FRONTEND_ONNXPROTO_H
#define LIB_FRONTEND_ONNXPROTO_H

// libonnx is built with these; the classes live in namespace onnx.
#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>

#endif // LIB_FRONTEND_ONNXPROTO_H
