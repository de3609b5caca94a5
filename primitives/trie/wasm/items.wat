;; The changes of a block, sorted by key. The host hands over, from 1f00000 on, three lists of u32, the lengths of
;; keys, of new values and of old values, then the bytes of all keys, all new values and all old values. A new
;; value's length with bit 31 deletes, with bit 30 says that a hash stands for the value; an old value's with bit 31
;; says that there was none, with bit 30 that there was one that is not given.
;;
;; An item is eight u32: key, nibbles of the key, new value, its length, its kind (0 deletes, 2 a hash, 3 bytes),
;; old value, its length, 0 absent / 1 unknown / 2 given.

(global $version (mut i32) (i32.const 0))

(func $item (param $index i32) (result i32)
  (i32.add (i32.const 0x100000) (i32.shl (local.get $index) (i32.const 5))))

(func (export "prepare") (param $n i32) (param $version i32)
  (local $lengths i32) (local $key i32) (local $new i32) (local $old i32)
  (local $keys i32) (local $news i32) (local $i i32) (local $item i32) (local $length i32) (local $stride i32)
  (global.set $version (local.get $version))
  (local.set $stride (i32.shl (local.get $n) (i32.const 2)))
  (local.set $lengths (i32.const 0x1f00000))
  (local.set $key (i32.add (local.get $lengths) (i32.mul (local.get $stride) (i32.const 3))))
  (block $summed
    (loop $next
      (br_if $summed (i32.ge_u (local.get $i) (local.get $n)))
      (local.set $keys (i32.add (local.get $keys) (i32.load (local.get $lengths))))
      (local.set $length (i32.load (i32.add (local.get $lengths) (local.get $stride))))
      (if (i32.ge_s (local.get $length) (i32.const 0))
        (then
          (local.set $news
            (i32.add (local.get $news) (i32.and (local.get $length) (i32.const 0x3fffffff))))))
      (local.set $lengths (i32.add (local.get $lengths) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.set $new (i32.add (local.get $key) (local.get $keys)))
  (local.set $old (i32.add (local.get $new) (local.get $news)))
  (local.set $i (i32.const 0))
  (local.set $lengths (i32.const 0x1f00000))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
      (local.set $item (call $item (local.get $i)))
      (local.set $length (i32.load (local.get $lengths)))
      (i32.store (local.get $item) (local.get $key))
      (i32.store offset=4 (local.get $item) (i32.shl (local.get $length) (i32.const 1)))
      (local.set $key (i32.add (local.get $key) (local.get $length)))
      ;; the new value
      (local.set $length (i32.load (i32.add (local.get $lengths) (local.get $stride))))
      (if (i32.lt_s (local.get $length) (i32.const 0))
        (then (i32.store offset=16 (local.get $item) (i32.const 0)) (local.set $length (i32.const 0)))
        (else
          (if (i32.ge_u (local.get $length) (i32.const 0x40000000))
            (then (i32.store offset=16 (local.get $item) (i32.const 2)) (local.set $length (i32.const 32)))
            (else (i32.store offset=16 (local.get $item) (i32.const 3))))))
      (i32.store offset=8 (local.get $item) (local.get $new))
      (i32.store offset=12 (local.get $item) (local.get $length))
      (if (i32.and (i32.eq (i32.load offset=16 (local.get $item)) (i32.const 3))
          (i32.and (i32.ne (local.get $version) (i32.const 0)) (i32.ge_u (local.get $length) (i32.const 33))))
        (then
          (call $blake2b (local.get $new) (local.get $length) (local.get $new))
          (i32.store offset=12 (local.get $item) (i32.const 32))
          (i32.store offset=16 (local.get $item) (i32.const 2))))
      (local.set $new (i32.add (local.get $new) (local.get $length)))
      ;; the old one
      (local.set $length
        (i32.load (i32.add (local.get $lengths) (i32.shl (local.get $stride) (i32.const 1)))))
      (i32.store offset=28 (local.get $item) (i32.const 2))
      (if (i32.ge_u (local.get $length) (i32.const 0x40000000))
        (then
          (i32.store offset=28 (local.get $item)
            (i32.ge_s (local.get $length) (i32.const 0)))
          (local.set $length (i32.const 0))))
      (i32.store offset=20 (local.get $item) (local.get $old))
      (i32.store offset=24 (local.get $item) (local.get $length))
      (local.set $old (i32.add (local.get $old) (local.get $length)))
      (local.set $lengths (i32.add (local.get $lengths) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))))

(func $deletes (param $index i32) (result i32)
  (i32.eqz (i32.load offset=16 (call $item (local.get $index)))))

(func $key_nibble (param $index i32) (param $at i32) (result i32)
  (i32.and
    (i32.shr_u
      (i32.load8_u
        (i32.add (i32.load (call $item (local.get $index))) (i32.shr_u (local.get $at) (i32.const 1))))
      (i32.shl (i32.and (i32.xor (local.get $at) (i32.const 1)) (i32.const 1)) (i32.const 2)))
    (i32.const 15)))

(func $key_length (param $index i32) (result i32)
  (i32.load offset=4 (call $item (local.get $index))))

(func $nibbles_of_key (param $index i32) (param $from i32) (param $to i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
      (call $nibble (call $key_nibble (local.get $index) (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br $next))))

;; How many nibbles of a partial key a key goes along with, from nibble `at` on.
(func $along (param $index i32) (param $at i32) (param $partial i32) (param $count i32) (result i32)
  (local $same i32) (local $most i32)
  (local.set $most (i32.sub (call $key_length (local.get $index)) (local.get $at)))
  (if (i32.gt_u (local.get $most) (local.get $count)) (then (local.set $most (local.get $count))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $same) (local.get $most)))
      (br_if $done
        (i32.ne
          (call $key_nibble (local.get $index) (i32.add (local.get $at) (local.get $same)))
          (call $partial_nibble (local.get $partial) (local.get $count) (local.get $same))))
      (local.set $same (i32.add (local.get $same) (i32.const 1)))
      (br $next)))
  (local.get $same))

;; The nibble, not before `at`, where two keys part, or the shorter one ends.
(func $parting (param $a i32) (param $b i32) (param $at i32) (result i32)
  (local $end i32)
  (local.set $end (call $key_length (local.get $a)))
  (if (i32.gt_u (local.get $end) (call $key_length (local.get $b)))
    (then (local.set $end (call $key_length (local.get $b)))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (br_if $done
        (i32.ne (call $key_nibble (local.get $a) (local.get $at)) (call $key_nibble (local.get $b) (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $at))

;; Where the items end that have the same nibble at `at` as the first one.
(func $run_end (param $low i32) (param $high i32) (param $at i32) (result i32)
  (local $nibble i32)
  (local.set $nibble (call $key_nibble (local.get $low) (local.get $at)))
  (block $done
    (loop $next
      (local.set $low (i32.add (local.get $low) (i32.const 1)))
      (br_if $done (i32.ge_u (local.get $low) (local.get $high)))
      (br_if $next (i32.eq (call $key_nibble (local.get $low) (local.get $at)) (local.get $nibble)))))
  (local.get $low))
