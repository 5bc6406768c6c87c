"""Data sets to train on: digits, MNIST and CIFAR-10 files, points in the plane, functions. Nothing is downloaded."""

from jackfield.data.cifar import cifar10_split, find_cifar10
from jackfield.data.densities import DENSITIES, density_points
from jackfield.data.digits import digits_split
from jackfield.data.functions import FUNCTIONS, Trajectories, trajectories
from jackfield.data.mnist import find_mnist, mnist_split, read_idx
from jackfield.data.plane import two_moons
from jackfield.data.split import Split

__all__ = [
    "DENSITIES",
    "FUNCTIONS",
    "Split",
    "Trajectories",
    "cifar10_split",
    "density_points",
    "digits_split",
    "find_cifar10",
    "find_mnist",
    "mnist_split",
    "read_idx",
    "trajectories",
    "two_moons",
]
