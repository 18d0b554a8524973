from threadpoolctl import threadpool_info

from napari_latent_explorer.analysis.blas import one_blas_thread


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_each_blas_has_one_thread_within_and_its_own_number_afterwards() -> None:
    before = blas_threads()
    with one_blas_thread():
        assert blas_threads() == {1}
    assert blas_threads() - {1} == before - {1}
