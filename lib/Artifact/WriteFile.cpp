//===- WriteFile.cpp - Files that appear as a whole -----------------------===//
#include "lib/Artifact/Artifact.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe;

llvm::Error lathe::writeFile(llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write,
                             bool executable) {
  if (path == "-") {
    write(llvm::outs());
    llvm::outs().flush();
    return llvm::Error::success();
  }
  auto fail = [&](std::error_code error) {
    return llvm::createStringError(error, "cannot write '" + path + "': " + error.message());
  };
  // A device or a pipe is written to; a file that takes its place would be a surprise.
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && llvm::sys::fs::is_other(status)) {
    std::error_code opened;
    llvm::raw_fd_ostream stream(path, opened, llvm::sys::fs::CD_OpenExisting);
    if (opened)
      return fail(opened);
    write(stream);
    stream.close();
    std::error_code written = stream.error();
    stream.clear_error();
    return written ? fail(written) : llvm::Error::success();
  }
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(path + ".%%%%%%.tmp", llvm::sys::fs::all_read | llvm::sys::fs::all_write);
  if (!file)
    return fail(llvm::errorToErrorCode(file.takeError()));
  std::error_code error;
  {
    llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
    write(stream);
    stream.flush();
    error = stream.error();
    stream.clear_error();
  }
  if (error) {
    llvm::consumeError(file->discard());
    return fail(error);
  }
  // Temporaries are made for the owner alone; a compiled file is as readable as the umask allows.
  unsigned modes = llvm::sys::fs::all_read | llvm::sys::fs::all_write | (executable ? llvm::sys::fs::all_exe : 0);
  auto allowed = static_cast<llvm::sys::fs::perms>(modes & ~llvm::sys::fs::getUmask());
  if (std::error_code denied = llvm::sys::fs::setPermissions(file->FD, allowed)) {
    llvm::consumeError(file->discard());
    return fail(denied);
  }
  if (llvm::Error kept = file->keep(path))
    return fail(llvm::errorToErrorCode(std::move(kept)));
  return llvm::Error::success();
}
