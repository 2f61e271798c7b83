// Anchor of the precompiled header; see AddLathe.cmake.
