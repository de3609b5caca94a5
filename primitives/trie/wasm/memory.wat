;; Blocks of linear memory for nodes: by classes of size, each with a list of free blocks.
;;
;; What lies where (addresses in hexadecimal):
;;   000000 the root that was computed     000400 the last block of a hash     000800 heads of free lists
;;   010000 nibbles being put together     030000 the path of a walk           0c0000 paths of branches that are gone
;;   100000 items                          300000 nodes made by this pass      500000 nodes replaced by this pass
;;   700000 the stack of the pass          f00000 answers                      1f00000 what the host hands over
;;   3f00000 nodes, up to the memory's maximum
;;
;; A node: u32 length of its encoding, u16 number of children, u8 1 = not in the column yet, u8 class of its block,
;; then for each child a u32: 0 = not in memory, 1 = known to be a leaf (not in memory), else the address of its
;; node; then the encoding. Children within the encoding (shorter than a hash) have 0.

(global $top (mut i32) (i32.const 0x3f00000))   ;; where nodes end
(global $used (mut i32) (i32.const 0))          ;; bytes in blocks in use
(global $dirty (mut i32) (i32.const 0))         ;; nodes that are not in the column yet
(global $stop (mut i32) (i32.const 0))          ;; why the pass gives up: 2 no room, 3 too deep

(func $block_size (param $class i32) (result i32)
  (if (result i32) (i32.le_u (local.get $class) (i32.const 32))
    (then (i32.shl (local.get $class) (i32.const 5)))
    (else (i32.shl (i32.const 1024) (i32.sub (local.get $class) (i32.const 32))))))

;; A block of at least so many bytes; 0 if memory is used up.
(func $alloc (param $size i32) (result i32)
  (local $class i32) (local $at i32) (local $head i32) (local $pages i32)
  (if (i32.le_u (local.get $size) (i32.const 1024))
    (then (local.set $class (i32.shr_u (i32.add (local.get $size) (i32.const 31)) (i32.const 5))))
    (else
      (if (i32.gt_u (local.get $size) (i32.const 0x2000000))
        (then (global.set $stop (i32.const 2)) (return (i32.const 0))))
      (local.set $class
        (i32.sub (i32.const 54) (i32.clz (i32.sub (local.get $size) (i32.const 1)))))))
  (local.set $size (call $block_size (local.get $class)))
  (local.set $head (i32.add (i32.const 0x800) (i32.shl (local.get $class) (i32.const 2))))
  (local.set $at (i32.load (local.get $head)))
  (if (local.get $at)
    (then (i32.store (local.get $head) (i32.load (local.get $at))))
    (else
      (local.set $at (global.get $top))
      (local.set $pages
        (i32.sub
          (i32.shr_u (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 0xffff)) (i32.const 16))
          (memory.size)))
      (if (i32.gt_s (local.get $pages) (i32.const 0))
        (then
          (if (i32.lt_s (memory.grow (i32.add (local.get $pages) (i32.const 15))) (i32.const 0))
            (then
              (if (i32.lt_s (memory.grow (local.get $pages)) (i32.const 0))
                (then (global.set $stop (i32.const 2)) (return (i32.const 0))))))))
      (global.set $top (i32.add (local.get $at) (local.get $size)))))
  (global.set $used (i32.add (global.get $used) (local.get $size)))
  (i32.store8 offset=7 (local.get $at) (local.get $class))
  (local.get $at))

(func $free (param $node i32)
  (local $class i32) (local $head i32)
  (global.set $dirty (i32.sub (global.get $dirty) (i32.load8_u offset=6 (local.get $node))))
  (local.set $class (i32.load8_u offset=7 (local.get $node)))
  (global.set $used (i32.sub (global.get $used) (call $block_size (local.get $class))))
  (local.set $head (i32.add (i32.const 0x800) (i32.shl (local.get $class) (i32.const 2))))
  (i32.store (local.get $node) (i32.load (local.get $head)))
  (i32.store (local.get $head) (local.get $node)))

;; A node with this encoding; its children's entries are copied, or 0 where there are none to copy.
(func $node (param $at i32) (param $length i32) (param $entries i32) (param $count i32) (param $dirty i32)
  (result i32)
  (local $node i32) (local $bytes i32)
  (local.set $bytes (i32.shl (local.get $count) (i32.const 2)))
  (local.set $node
    (call $alloc (i32.add (i32.add (local.get $length) (local.get $bytes)) (i32.const 8))))
  (if (i32.eqz (local.get $node)) (then (return (i32.const 0))))
  (i32.store (local.get $node) (local.get $length))
  (i32.store16 offset=4 (local.get $node) (local.get $count))
  (i32.store8 offset=6 (local.get $node) (local.get $dirty))
  (global.set $dirty (i32.add (global.get $dirty) (local.get $dirty)))
  (if (local.get $entries)
    (then (memory.copy (i32.add (local.get $node) (i32.const 8)) (local.get $entries) (local.get $bytes)))
    (else (memory.fill (i32.add (local.get $node) (i32.const 8)) (i32.const 0) (local.get $bytes))))
  (memory.copy (call $encoding (local.get $node)) (local.get $at) (local.get $length))
  (local.get $node))

(func $encoding (param $node i32) (result i32)
  (i32.add
    (i32.add (local.get $node) (i32.const 8))
    (i32.shl (i32.load16_u offset=4 (local.get $node)) (i32.const 2))))

(func $is_leaf (param $at i32) (result i32)
  (i32.lt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 0x20)) (i32.const 0x60)))

;; ── what a pass made and replaced: dropping either goes forward or back ──

(global $made (mut i32) (i32.const 0x300000))
(global $replaced (mut i32) (i32.const 0x500000))

(func $note_made (param $node i32)
  (if (i32.ge_u (global.get $made) (i32.const 0x500000))
    (then (call $free (local.get $node)) (global.set $stop (i32.const 2)) (return)))
  (i32.store (global.get $made) (local.get $node))
  (global.set $made (i32.add (global.get $made) (i32.const 4))))

(func $note_replaced (param $node i32)
  (if (i32.ge_u (global.get $replaced) (i32.const 0x700000))
    (then (global.set $stop (i32.const 2)) (return)))
  (i32.store (global.get $replaced) (local.get $node))
  (global.set $replaced (i32.add (global.get $replaced) (i32.const 4))))

(func $free_all (param $from i32) (param $to i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
      (call $free (i32.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (br $next))))
