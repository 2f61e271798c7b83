# Helpers for Lathe's targets. Every target is prefixed with `Lathe`; the repository's root is the include root, so
# "dialects/NN/IR/NNDialect.h" is found in the source tree and "dialects/NN/IR/NNOps.h.inc" in the build tree.

set(LATHE_SANITIZE_OPTIONS -fsanitize=${LATHE_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer)

function(lathe_set_compile_options)
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM)
    # Precompiled headers carry no time of day, so that ccache may reuse what was compiled with them.
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher} PARENT_SCOPE)
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher} PARENT_SCOPE)
  endif()
  # The compiler's time is spent inside LLVM; -O1 halves the build and is not measurable in compilations.
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG" PARENT_SCOPE)
  set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG" PARENT_SCOPE)
  add_compile_options(-Wall -Wextra -Werror -Wno-unused-parameter -fdiagnostics-color=never)
  if(LATHE_SANITIZE)
    add_compile_options(${LATHE_SANITIZE_OPTIONS})
    add_link_options(-fsanitize=${LATHE_SANITIZE})
  endif()
endfunction()

# What a C++ target of the compiler needs: LLVM's headers and flags, RTTI on, exceptions off.
function(lathe_configure_compiler_target name)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
endfunction()

# lathe_add_library(LatheFuse A.cpp B.cpp LINK LatheNN DEPENDS LatheFusePassesIncGen [NO_PCH])
# A static library over the shared libMLIR and libLLVM, compiled with the precompiled MLIR headers.
function(lathe_add_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  lathe_configure_compiler_target(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  add_dependencies(${name} mlir-headers-lathe ${ARG_DEPENDS})
  if(NOT ARG_NO_PCH)
    target_precompile_headers(${name} REUSE_FROM LathePrecompiled)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
  endif()
endfunction()

# lathe_add_tool(lathe-opt lathe-opt.cpp LINK LatheFuse ...)
function(lathe_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  lathe_configure_compiler_target(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  add_dependencies(${name} mlir-headers-lathe)
  target_precompile_headers(${name} REUSE_FROM LathePrecompiled)
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
  # The precompiled header is made with -fPIC, as the libraries are; CMake would take -fPIE here.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  # libMLIR.so is outside the loader's path.
  set_target_properties(${name} PROPERTIES BUILD_RPATH "${LLVM_LIBRARY_DIR}" INSTALL_RPATH "${LLVM_LIBRARY_DIR}")
endfunction()

# lathe_tablegen(target file.td OUT out.inc -gen-flag ... [OUT ...]): writes beside the .td's place in the build tree.
# All generated headers of the project hang below `mlir-headers-lathe`, which every library waits for.
function(lathe_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  set(out "")
  set(flags "")
  foreach(argument IN LISTS ARGN ITEMS OUT)
    if(argument STREQUAL "OUT")
      if(out)
        mlir_tablegen(${out} ${flags} -I${PROJECT_SOURCE_DIR})
      endif()
      set(out "")
      set(flags "")
    elseif(NOT out)
      set(out ${argument})
    else()
      list(APPEND flags ${argument})
    endif()
  endforeach()
  add_public_tablegen_target(${target})
  add_dependencies(mlir-headers-lathe ${target})
endfunction()

add_custom_target(mlir-headers-lathe)

# The MLIR headers that nearly every file includes, compiled once.
add_library(LathePrecompiled OBJECT ${PROJECT_SOURCE_DIR}/tools/cmake/Precompiled.cpp)
lathe_configure_compiler_target(LathePrecompiled)
target_precompile_headers(LathePrecompiled PRIVATE ${PROJECT_SOURCE_DIR}/tools/cmake/Precompiled.h)
target_compile_options(LathePrecompiled PRIVATE $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
if(LATHE_SANITIZE)
  # A precompiled header fits only what is instrumented as it is.
  target_compile_options(LathePrecompiled PRIVATE ${LATHE_SANITIZE_OPTIONS})
endif()
