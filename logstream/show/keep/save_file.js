// Where the bytes of a download go: straight to the disk where the browser allows it, else into
// pieces that the browser keeps out of the page's memory, saved as a whole at the end. Either
// way there is a file only when all of it came.

const PIECE_BYTES = 8 * 1024 * 1024;

class DiskFile {
  constructor(stream) {
    this.stream = stream;
  }

  // null where the browser asks nobody for a place; throws AbortError when the person says no.
  static async chosen(name) {
    if (!globalThis.showSaveFilePicker) return null;
    try {
      const handle = await showSaveFilePicker({ suggestedName: name });
      return new DiskFile(await handle.createWritable());
    } catch (error) {
      if (error.name === "AbortError") throw error;
      return null; // a page in a frame may not ask
    }
  }

  add(bytes) {
    return this.stream.write(bytes);
  }

  finish() {
    return this.stream.close();
  }

  drop() {
    return this.stream.abort().catch(() => {});
  }
}

class SavedPieces {
  constructor() {
    this.pieces = [];
    this.loose = [];
    this.looseBytes = 0;
  }

  add(bytes) {
    this.loose.push(bytes);
    this.looseBytes += bytes.length;
    if (this.looseBytes >= PIECE_BYTES) this.gather();
  }

  gather() {
    this.pieces.push(new Blob(this.loose));
    this.loose = [];
    this.looseBytes = 0;
  }

  finish(name, type) {
    this.gather();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(this.pieces, { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    this.drop();
  }

  drop() {
    this.pieces = this.loose = [];
  }
}
