//===- DimFlow.cpp - Where the dimensions of an op's operands go ----------===//
#include "dialects/Interfaces/DimFlow.h"

#include "dialects/Interfaces/DimFlow.cpp.inc"
